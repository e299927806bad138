# SPDX-License-Identifier: GPL-3.0-or-later
"""Release: one version, one address and the same requirements wherever they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deepconsensus_plugin import __version__
from deepconsensus_plugin.constants import URL

ROOT = Path(__file__).parents[3]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def metadata() -> dict[str, list[str]]:
    """Return what setup.py declares, by the name of the option."""
    options = ("author", "url", "version", "classifiers", "long-description")
    found = {}
    for option in options:
        run = subprocess.run(
            [sys.executable, "setup.py", f"--{option}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        found[option] = run.stdout.strip()
    return found


def test_version_is_the_same_everywhere(metadata):
    assert metadata["version"] == __version__
    assert read("CHANGES.txt").splitlines()[0] == __version__
    assert f"\nversion: {__version__}\n" in read("CITATION.cff")
    assert f'set version = "{__version__}"' in read("recipes/conda/meta.yaml")


def test_address_is_the_same_everywhere(metadata):
    assert metadata["url"] == URL
    assert f"repository-code: {URL}\n" in read("CITATION.cff")
    assert f"home: {URL}\n" in read("recipes/conda/meta.yaml")


def test_author_is_told(metadata):
    assert metadata["author"] in read("CITATION.cff")


def test_pythons_are_the_same_everywhere(metadata):
    versions = re.findall(r"Python :: (3\.\d+)", metadata["classifiers"])

    assert versions == ["3.10", "3.11", "3.12"]
    matrix = re.search(r"python: \[(.*)\]", read(".github/workflows/check.yml"))
    assert re.findall(r"3\.\d+", matrix[1]) == versions


def test_pictures_and_documents_of_the_package_page_are_at_the_source(metadata):
    text = metadata["long-description"]
    base = f"{URL}/(?:raw|blob)/v{re.escape(__version__)}/"
    named = re.findall(rf"{base}(docs/[\w./-]+)", text)

    assert len(named) >= 4
    assert [name for name in named if not (ROOT / name).is_file()] == []
    assert re.findall(r"figure:: (?!http)\S+", text) == []
    assert re.findall(r"<docs/[^>]*>`", text) == []


def test_uploads_carry_the_comment_that_scipion_asks_for():
    pyworkflow = pytest.importorskip("pyworkflow.constants", reason="no Scipion")
    for name in (".github/workflows/publish.yml", "docs/releasing.md"):
        comment = re.search(r'--comment "(.+)"', read(name))[1]
        assert re.findall(r"scipion-([\d.]*\d)", comment) == [pyworkflow.CORE_VERSION]


def requirements_in(name: str) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in read(name).splitlines()]
    found = [Requirement(line) for line in lines if line]
    return {canonicalize_name(each.name): str(each.specifier) for each in found}


def test_recipe_for_conda_has_the_requirements():
    run = read("recipes/conda/meta.yaml").partition("  run:\n")[2].partition("\n\n")[0]
    listed = dict(re.findall(r"^    - (\S+) (\S+)$", run, re.M))
    needed = {
        canonicalize_name(name.removesuffix("-base")): Requirement(name + versions)
        for name, versions in listed.items()
    }
    assert str(needed.pop("python").specifier) == "<3.13,>=3.10"
    declared = requirements_in("requirements.txt")
    declared |= requirements_in("requirements-learning.txt")

    assert {name: str(each.specifier) for name, each in needed.items()} == {
        name: versions
        for name, versions in declared.items()
        if not name.startswith("scipion-")
    }


def test_containers_take_what_setup_reads():
    copied = re.findall(
        r"^    (\S+) /src/\S+$", read("recipes/deepconsensus.def"), re.M
    )

    assert [name for name in copied if not (ROOT / name).exists()] == []
    needed = {"setup.py", "pyproject.toml", "README.rst", "deepconsensus_plugin"}
    needed |= {path.name for path in ROOT.glob("requirements*.txt")}
    assert needed <= set(copied)
    for name in ("recipes/Dockerfile", "recipes/deepconsensus.def"):
        assert "python:3.12-slim-bookworm" in read(name)


def test_old_python_is_told_the_remedy():
    source = read("setup.py").replace("sys.version_info < (3, 10)", "True")
    run = subprocess.run(
        [sys.executable, "-c", source.replace("Path(__file__).parent", "Path('.')")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 1
    assert "Scipion's installer takes one with its option -python" in run.stderr

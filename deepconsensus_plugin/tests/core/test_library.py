# SPDX-License-Identifier: GPL-3.0-or-later
"""The names that `core` offers, and the examples of docs/library.md."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deepconsensus_plugin import core
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.tests.small_network import small_networks

PAGE = Path(core.__file__).parents[2] / "docs" / "library.md"
HEAVY = {"h5py", "keras", "numpy", "pwem", "pyworkflow", "scipy", "tensorflow"}


def loaded_by(script: str) -> set[str]:
    """Return the modules that a new Python has loaded after a script."""
    script = f"import json, sys\n{script}\nprint(json.dumps(list(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


def test_importing_it_imports_nothing_else():
    loaded = loaded_by("import deepconsensus_plugin.core")
    assert loaded.isdisjoint(HEAVY)
    ours = {name for name in loaded if name.startswith("deepconsensus_plugin")}
    assert ours == {"deepconsensus_plugin", "deepconsensus_plugin.core"}


def test_no_name_loads_a_learning_library_or_scipion():
    loaded = loaded_by("from deepconsensus_plugin.core import *")
    assert "deepconsensus_plugin.core.workflow.chain" in loaded
    assert loaded.isdisjoint({"keras", "tensorflow", "pwem", "pyworkflow"})


def test_type_checkers_see_the_names_that_are_served():
    tree = ast.parse(Path(core.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in block.body
        for alias in node.names
    }
    assert sorted(seen) == sorted(core.__all__) == sorted(core._WHERE)
    for name, where in seen.items():
        module, _, own_name = where.partition(":")
        assert getattr(core, name) is getattr(sys.modules[module], own_name)


def test_they_are_listed_and_others_are_refused():
    assert set(core.__all__) <= set(dir(core))
    with pytest.raises(AttributeError, match="no attribute 'train_on'"):
        core.train_on  # noqa: B018


def test_the_types_of_an_installed_package_are_seen():
    package = Path(core.__file__).parents[1]
    assert (package / "py.typed").is_file()
    assert '"py.typed"' in (package.parent / "setup.py").read_text()


def test_the_page_names_every_verb():
    verbs = {name for name in core.__all__ if name.islower()}
    described = set(re.findall(r"^\| `(\w+)\(", PAGE.read_text(), flags=re.MULTILINE))
    assert described == verbs


@small_networks()
def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.M | re.S)
    longest = max(len(block.splitlines()) for block in blocks)
    assert longest <= 20
    names = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    accepted = read_picks("accepted.star")
    assert sum(map(len, accepted.values())) == names["result"].accepted.sum()
    metrics = names["evaluation"].metrics
    assert metrics.recall > 0.8
    assert metrics.f1 > names["evaluation"].blind_lattice.f1 + 0.2
    assert (names["probability"] == names["result"].score).all()
    assert (names["acceptance"].reason == names["result"].acceptance.reason).all()
    assert "with a score of at least" in capsys.readouterr().out

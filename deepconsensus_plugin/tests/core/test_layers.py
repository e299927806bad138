# SPDX-License-Identifier: GPL-3.0-or-later
"""The layering law: imports point downwards only, and the science needs no Scipion."""

from __future__ import annotations

import ast
import subprocess
import sys
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, files, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import deepconsensus_plugin

PACKAGE = "deepconsensus_plugin"
ROOT = Path(deepconsensus_plugin.__file__).parent
LEARNING = (
    *("models", "pickers", "datasets", "splits", "losses"),
    *("plateau", "training", "checkpoints", "scoring"),
)
JOBS = ("pipeline", "jobs", "workflow")
SEAM = ("constants", "convert", "objects", "plugin", "bootstrap", "set_columns")
WORKFLOW = ("protocols", "viewers", "wizards", "commands", "plots", "__main__")
SCIPION = ("pwem", "pyworkflow")


class Layer(IntEnum):
    ROOT = 0  # the version; imports nothing
    NUMERIC = 1
    LEARNING = 2
    JOBS = 3
    SEAM = 4
    WORKFLOW = 5


def layer_of(module: str) -> Layer:
    """Return the layer that a module's dotted name puts it in."""
    parts = module.split(".")[1:] or [""]
    if parts[0] == "core":
        part = parts[1] if len(parts) > 1 else "workflow"  # which it serves lazily
        if part in JOBS:
            return Layer.JOBS
        return Layer.LEARNING if part in LEARNING else Layer.NUMERIC
    if parts[0] in ("", "bibtex"):
        return Layer.ROOT
    if parts[0] in SEAM:
        return Layer.SEAM
    if parts[0] in WORKFLOW:
        return Layer.WORKFLOW
    raise AssertionError(f"{module} is in no layer: add it here and to the docs")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str) -> set[str]:
    """Return the dotted names that a source imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import: name the module in full"
            assert "*" not in {alias.name for alias in node.names}, "import *"
            found |= {_target(node.module or "", alias.name) for alias in node.names}
    return found


def _target(module: str, name: str) -> str:
    """Return ``module.name`` where that is a module of ours, else ``module``."""
    below = ROOT.parent.joinpath(*module.split("."), name)
    is_module = below.with_suffix(".py").exists() or below.is_dir()
    return f"{module}.{name}" if is_module else module


MODULES = {
    name_of(path): path
    for path in sorted(ROOT.rglob("*.py"))
    if "tests" not in path.relative_to(ROOT).parts
}
CORE = [name for name in MODULES if name.startswith(f"{PACKAGE}.core")]
NUMERIC = [name for name in CORE if layer_of(name) is Layer.NUMERIC]
EVERY_MODULE = pytest.mark.parametrize("module", MODULES)


def test_imports_are_read_wherever_they_stand():
    source = "import a.b\ndef f():\n    from c import d\n    from e.f import g, h\n"

    assert imports_of(source) == {"a.b", "c", "e.f"}


def test_submodule_imported_from_its_package_is_seen():
    assert imports_of(f"from {PACKAGE} import plugin") == {f"{PACKAGE}.plugin"}
    assert imports_of(f"from {PACKAGE} import __version__") == {PACKAGE}


@EVERY_MODULE
def test_imports_point_downwards(module):
    own = layer_of(module)
    ours = {i for i in imports_of(MODULES[module].read_text()) if i.startswith(PACKAGE)}
    if own is Layer.ROOT:  # `Plugin` is served lazily, by name
        ours -= {f"{PACKAGE}.plugin"}

    assert {i for i in ours if layer_of(i) > own} == set()


@pytest.mark.parametrize("module", CORE)
def test_core_never_imports_scipion(module):
    imported = {i.split(".")[0] for i in imports_of(MODULES[module].read_text())}

    assert imported.isdisjoint(SCIPION)


@pytest.mark.parametrize("module", NUMERIC)
def test_numeric_modules_never_import_a_learning_library(module):
    imported = {i.split(".")[0] for i in imports_of(MODULES[module].read_text())}

    assert imported.isdisjoint({"keras", "tensorflow", "torch", "jax"})


def test_numeric_modules_load_no_learning_library_behind_the_scenes():
    script = "\n".join(
        f"import {module}\n"
        f"loaded = [m for m in ('keras', 'tensorflow') if m in sys.modules]\n"
        f"assert not loaded, ('{module}', loaded)"
        for module in NUMERIC
    )

    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}"], capture_output=True, text=True
    )

    assert run.returncode == 0, run.stderr


@EVERY_MODULE
def test_no_import_has_a_fallback(module):
    handlers = [
        ast.unparse(node.type) if node.type else "everything"
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(node, ast.ExceptHandler)
    ]

    assert not [h for h in handlers if "ImportError" in h or "ModuleNotFound" in h]
    assert not [h for h in handlers if h in ("everything", "Exception")]


def test_every_imported_distribution_is_required():
    imported = {
        i.split(".")[0]
        for path in MODULES.values()
        for i in imports_of(path.read_text())
    } - set(sys.stdlib_module_names)
    declared = [Requirement(r) for r in requires("scipion-em-deepconsensus")]

    assert imported <= {PACKAGE}.union(*(modules_of(r.name) for r in declared))


def modules_of(distribution: str) -> set[str]:
    """Return the top-level modules that a distribution installs."""
    try:
        installed = files(distribution) or []
    except PackageNotFoundError:  # an extra that is not installed, tensorflow-cpu
        installed = []
    return {distribution} | {path.parts[0].removesuffix(".py") for path in installed}

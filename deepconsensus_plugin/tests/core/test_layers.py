# SPDX-License-Identifier: GPL-3.0-or-later
"""Law of imports: downwards on the map, without circles, no Scipion in the science."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, files, requires
from pathlib import Path

from packaging.requirements import Requirement

import deepconsensus_plugin

PACKAGE = "deepconsensus_plugin"
ROOT = Path(deepconsensus_plugin.__file__).parent
MAP = ROOT.parent / "docs" / "architecture.md"
CORE = f"{PACKAGE}.core"
LAYERS = {
    PACKAGE: ("root", "core", "seam", "workflow"),
    CORE: ("numeric", "learning", "jobs"),
}
SCIPION = {"pwem", "pyworkflow"}
LEARNING_LIBRARIES = {"keras", "tensorflow", "torch", "jax"}
LIGHT = re.compile(
    r"\.(card|parameters|requests?|\w+_requests?|methods|jobs|history|invariants"
    r"|label_noise)$|\.pickers\.(classical|maps|populations)\b"
)
"""Modules of the upper layers that load no learning library either."""

Graph = dict[str, set[str]]


# -------------------------- what is imported --------------------------
def name_of(path: Path) -> str:
    """Return the dotted name of a file; that of a package ends with ``__init__``."""
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


def imports_of(tree: ast.Module) -> set[str]:
    """Return the dotted names that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {_target(node.module or "", alias.name) for alias in node.names}
    return found


def _target(module: str, name: str) -> str:
    """Return ``module.name`` where that is a module of ours, else ``module``."""
    below = ROOT.parent.joinpath(*module.split("."), name)
    is_module = below.with_suffix(".py").exists() or below.is_dir()
    return f"{module}.{name}" if is_module else module


def top_level(names: Iterable[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


TREES = {
    name_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
    if "tests" not in path.relative_to(ROOT).parts
}
IMPORTS = {module: imports_of(tree) for module, tree in TREES.items()}
IN_CORE = [module for module in TREES if module.startswith(f"{CORE}.")]


def test_imports_are_read_wherever_they_stand():
    source = "import a.b\ndef f():\n    from c import d\n    from e.f import g, h\n"

    assert imports_of(ast.parse(source)) == {"a.b", "c", "e.f"}


def test_submodule_imported_from_its_package_is_seen():
    for name, expected in (("plugin", f"{PACKAGE}.plugin"), ("__version__", PACKAGE)):
        assert imports_of(ast.parse(f"from {PACKAGE} import {name}")) == {expected}


def test_every_import_names_its_module_in_full():
    offenders = [
        f"{module}:{node.lineno}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.level or "*" in {alias.name for alias in node.names})
    ]

    assert offenders == []


# -------------------------- folders and their order --------------------------
def folder_graphs(imports: Mapping[str, Iterable[str]]) -> dict[str, Graph]:
    """Return for every folder which of its children import which others.

    A child is a file or a folder; a package's own ``__init__`` is one. An import from
    a.b.x of a.c.y is an edge from b to c in a.
    """
    graphs: dict[str, Graph] = {}
    for module, targets in imports.items():
        for target in targets:
            if not target.startswith(PACKAGE):
                continue
            if f"{target}.__init__" in imports:
                target += ".__init__"
            folder, child, other = _where_they_part(module, target)
            if child != other:
                graphs.setdefault(folder, {}).setdefault(child, set()).add(other)
    return graphs


def _where_they_part(module: str, target: str) -> tuple[str, str, str]:
    own, other = module.split("."), target.split(".")
    n = 0
    while n < min(len(own), len(other)) - 1 and own[n] == other[n]:
        n += 1
    return ".".join(own[:n]), own[n], other[n]


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of children that reach each other."""
    reached = {child: _reached_from(child, graph) for child in graph}
    groups = {
        tuple(sorted(o for o in reached[child] if child in reached.get(o, ())))
        for child in graph
        if child in reached[child]
    }
    return [list(group) for group in sorted(groups)]


def _reached_from(start: str, graph: Graph) -> set[str]:
    seen: set[str] = set()
    left = [start]
    while left:
        new = graph.get(left.pop(), set()) - seen
        seen |= new
        left.extend(new)
    return seen


GRAPHS = folder_graphs(IMPORTS)


def test_an_edge_lies_where_two_names_part():
    imports = {
        f"{PACKAGE}.a.b.x": [f"{PACKAGE}.a.c.y", "numpy"],
        f"{PACKAGE}.a.c.y": [f"{PACKAGE}.a.c", f"{PACKAGE}.d"],
        f"{PACKAGE}.a.c.__init__": [f"{PACKAGE}.a.c.y"],
        f"{PACKAGE}.d": [],
    }

    assert folder_graphs(imports) == {
        f"{PACKAGE}.a": {"b": {"c"}},
        f"{PACKAGE}.a.c": {"y": {"__init__"}, "__init__": {"y"}},
        PACKAGE: {"a": {"d"}},
    }


def test_circles_of_any_length_are_found():
    graph = {
        "a": {"b"},
        "b": {"c"},
        "c": {"a", "d"},
        "d": {"e"},
        "e": {"d"},
        "f": {"a"},
    }

    assert circles(graph) == [["a", "b", "c"], ["d", "e"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_folder_has_a_circle():
    found = {folder: circles(graph) for folder, graph in GRAPHS.items()}

    assert {folder: groups for folder, groups in found.items() if groups} == {}


def read_map() -> dict[str, list[tuple[str, str]]]:
    """Return the children of each folder on the map and their layers, in its order."""
    section = MAP.read_text(encoding="utf-8").partition("\n## The map\n")[2]
    tables = re.split(r"^### `(.+)`$", section.partition("\n## ")[0], flags=re.M)[1:]
    return {
        folder.replace("/", "."): re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.M)
        for folder, table in zip(tables[::2], tables[1::2], strict=True)
    }


def children_of(folder: str) -> set[str]:
    """Return the files and folders of Python in a folder, but for ``__init__``."""
    start = f"{folder}."
    below = [m.removeprefix(start) for m in TREES if m.startswith(start)]
    return top_level(below) - {"__init__"}


ON_MAP = read_map()
LAYER_OF = dict(ON_MAP[CORE])


def test_the_map_shows_every_child_once_and_no_other():
    offenders = {}
    for folder, rows in ON_MAP.items():
        shown = [child for child, _ in rows]
        twice = {child for child in shown if shown.count(child) > 1}
        offenders[folder] = sorted(twice | {*shown} ^ children_of(folder))

    assert offenders == {PACKAGE: [], CORE: []}


def test_every_child_imports_only_what_stands_before_it_on_the_map():
    offenders = []
    for folder, rows in ON_MAP.items():
        place = {child: number for number, (child, _) in enumerate(rows)}
        offenders += [
            f"{folder}: {child} imports {other}"
            for child, others in GRAPHS[folder].items()
            for other in others
            if place.get(child, len(place)) < place.get(other, -1)
        ]

    assert offenders == []


def test_the_layers_come_in_order_on_the_map():
    for folder, layers in LAYERS.items():
        numbers = [layers.index(layer) for _, layer in ON_MAP[folder]]
        assert numbers == sorted(numbers)


# -------------------------- what may be imported where --------------------------
def test_core_never_imports_scipion():
    assert [m for m in IN_CORE if top_level(IMPORTS[m]) & SCIPION] == []


def is_light(module: str) -> bool:
    """Return whether a module of core must load without a learning library."""
    layer = LAYER_OF.get(module.split(".")[2], "numeric")  # of its own __init__
    return layer == "numeric" or LIGHT.search(module) is not None


def test_numeric_modules_never_import_a_learning_library():
    offenders = [
        module
        for module in IN_CORE
        if is_light(module) and top_level(IMPORTS[module]) & LEARNING_LIBRARIES
    ]

    assert offenders == []


_LOAD_EACH = """
import importlib, json, sys
modules, libraries = json.load(sys.stdin)

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in libraries:
            asked.append(name)
            raise ImportError(name)

sys.meta_path.insert(0, Refusal())
offenders = {}
for module in modules:
    asked = []
    try:
        importlib.import_module(module)
    except ImportError:
        if not asked:
            raise
    if asked:
        offenders[module] = asked[0]
print(json.dumps(offenders))
"""


def load_each(modules: list[str]) -> dict[str, str]:
    """Return which modules load a learning library, and the first that they ask for."""
    run = subprocess.run(
        [sys.executable, "-c", _LOAD_EACH],
        input=json.dumps([modules, sorted(LEARNING_LIBRARIES)]),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_numeric_modules_load_no_learning_library_behind_the_scenes():
    light = [m.removesuffix(".__init__") for m in IN_CORE if is_light(m)]
    network = f"{CORE}.deep_consensus.network"

    assert load_each([*light, network]) == {network: "keras"}


def test_no_import_has_a_fallback():
    offenders = [
        f"{module}:{node.lineno}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or re.search(
                r"ImportError|ModuleNotFound|^Exception$", ast.unparse(node.type)
            )
        )
    ]

    assert offenders == []


def test_every_imported_distribution_is_required():
    imported = top_level(set().union(*IMPORTS.values())) - set(sys.stdlib_module_names)
    declared = [Requirement(r) for r in requires("scipion-em-deepconsensus")]

    assert imported <= {PACKAGE}.union(*(modules_of(r.name) for r in declared))


def modules_of(distribution: str) -> set[str]:
    """Return the top-level modules that a distribution installs."""
    try:
        installed = files(distribution) or []
    except PackageNotFoundError:  # an extra that is not installed, tensorflow-cpu
        installed = []
    return {distribution} | {path.parts[0].removesuffix(".py") for path in installed}

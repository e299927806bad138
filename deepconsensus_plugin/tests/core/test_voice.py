# SPDX-License-Identifier: GPL-3.0-or-later
"""Voice of docstrings: modules and classes begin with a noun, functions with a verb."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = [ROOT / name for name in ("deepconsensus_plugin", "benchmarks", "tools")]
NO_NOUNS = frozenset(
    "As Between Every Everything From How In Not Of Of: That They Those What When "
    "Where Whether Which Who Why".split()
)
NO_VERBS = NO_NOUNS | frozenset(
    "A All An Each Four Its No One Some The Three Two Without".split()
)
PROTOCOLS = (
    "Prot",
    "DeepConsensus",
    "Test",
)  # Scipion shows them; tests say what holds


@cache
def docstrings() -> list[tuple[str, ast.AST, str]]:
    """Return the place, the node and the docstring of everything that has one."""
    found = []
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    place = f"{path.relative_to(ROOT)}: {getattr(node, 'name', '')}"
                    if text := ast.get_docstring(node):
                        found.append((place, node, text))
    return found


def is_property(node: ast.FunctionDef) -> bool:
    """Return whether a function is read as an attribute."""
    return any("property" in ast.unparse(each) for each in node.decorator_list)


def is_test(node: ast.FunctionDef) -> bool:
    """Return whether a docstring says what holds, or what a fixture gives."""
    decorators = map(ast.unparse, node.decorator_list)
    return node.name.startswith("test") or any("fixture" in each for each in decorators)


def offenders(kind: type[ast.AST], words: frozenset[str]) -> list[str]:
    """Return the docstrings of a kind of node that begin with one of these words."""
    return [
        f"{place}: {text.splitlines()[0]}"
        for place, node, text in docstrings()
        if isinstance(node, kind)
        and text.split()[0] in words
        and not (isinstance(node, ast.ClassDef) and node.name.startswith(PROTOCOLS))
        and not (
            isinstance(node, ast.FunctionDef) and (is_property(node) or is_test(node))
        )
    ]


def test_modules_begin_with_the_noun_that_they_are():
    assert offenders(ast.Module, NO_NOUNS) == []


def test_classes_begin_with_the_noun_that_they_are():
    assert offenders(ast.ClassDef, NO_NOUNS) == []


def test_functions_begin_with_their_verb():
    assert offenders(ast.FunctionDef, NO_VERBS) == []


def test_properties_begin_with_what_they_are():
    found = [
        f"{place}: {text.splitlines()[0]}"
        for place, node, text in docstrings()
        if isinstance(node, ast.FunctionDef)
        and is_property(node)
        and text.split()[0] in NO_NOUNS - {"Whether"}
    ]
    assert found == []

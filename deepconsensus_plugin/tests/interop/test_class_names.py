# SPDX-License-Identifier: GPL-3.0-or-later
"""Classes of Xmipp's and EMAN2's plugins that ours sit beside, or that we name.

Xmipp's protocols import ``xmipp_base`` and ``xmippViz``, which only come with its
binaries; where those are missing, its classes are looked up in its source.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from pathlib import Path

import pwem
import pytest
from pwem.protocols import ProtParticlePicking

import deepconsensus_plugin

pytest.importorskip("xmipp3")
pytest.importorskip("eman2")

PICKERS = {
    "xmipp3": {"XmippProtParticlePicking", "XmippParticlePickingAutomatic"},
    "eman2": {"EmanProtBoxing", "EmanProtAutopick"},
}
"""What users of the two have; templates may name them."""

ROOT = Path(deepconsensus_plugin.__file__).parent


def declared(plugin: str) -> dict[str, ast.ClassDef]:
    """Return the classes in the source of a plugin's ``protocols``."""
    spec = importlib.util.find_spec(plugin)
    folder = Path(spec.origin).parent / "protocols"
    trees = (
        ast.parse(path.read_text(encoding="utf8"), filename=str(path))
        for path in folder.rglob("*.py")
    )
    return {
        node.name: node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def declared_params(kind: ast.ClassDef) -> set[str]:
    """Return the parameters that a class adds to its form, and its base's."""
    base = {name for name, _ in ProtParticlePicking().iterDefinitionAttributes()}
    return base | {
        node.args[0].value
        for node in ast.walk(kind)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") in ("addParam", "addHidden")
        and isinstance(node.args[0], ast.Constant)
    }


def test_plugins_are_found_beside_ours():
    assert {"xmipp3", "eman2", "deepconsensus_plugin"} <= set(pwem.Domain.getPlugins())


@pytest.mark.parametrize("plugin", PICKERS)
def test_pickers_exist(plugin):
    assert declared(plugin).keys() >= PICKERS[plugin]


def test_pickers_of_eman2_make_coordinates_of_the_usual_name():
    for name in PICKERS["eman2"]:
        outputs = pwem.Domain.getProtocols()[name]._possibleOutputs
        assert outputs["outputCoordinates"].value is pwem.objects.SetOfCoordinates


def test_no_class_of_ours_has_a_name_of_theirs():
    ours = declared("deepconsensus_plugin")
    assert "ProtDeepConsensusScore" in ours
    for plugin in PICKERS:
        assert ours.keys().isdisjoint(declared(plugin))


def test_templates_name_classes_and_parameters_that_exist():
    registered = pwem.Domain.getProtocols()
    theirs = {
        name: node for plugin in PICKERS for name, node in declared(plugin).items()
    }
    n_of_others = 0
    for path in sorted((ROOT / "templates").glob("*.json.template")):
        text = path.read_text(encoding="utf8")
        for node in json.loads(text[text.index("[") :]):
            name = node["object.className"]
            assert name in registered or name in theirs, path.name
            if name in theirs:
                n_of_others += 1
                given = {key for key in node if not key.startswith("object.")}
                assert given <= declared_params(theirs[name]), (path.name, name)
    assert n_of_others == 3

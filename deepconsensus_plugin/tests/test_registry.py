# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration with Scipion, which only logs the faults that are checked here."""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
import unittest
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pwem
from pyworkflow.protocol import Protocol, params
from pyworkflow.template import LocalTemplate
from pyworkflow.utils import parseBibTex

import deepconsensus_plugin
from deepconsensus_plugin import bibtex
from deepconsensus_plugin.tests.marks import slow

PACKAGE = "deepconsensus_plugin"
ROOT = Path(deepconsensus_plugin.__file__).parent
OF_OTHER_PLUGINS = {
    "EmanProtAutopick",
    "XmippParticlePickingAutomatic",
    "XmippProtParticlePicking",
}
"""What templates may name; tests/interop checks them where they are installed."""
SCANNED = ("objects", "protocols", "viewers", "wizards")


def sections() -> list[dict]:
    """Return the entries of protocols.conf, one in the other."""
    conf = RawConfigParser()
    conf.optionxform = str
    conf.read(ROOT / "protocols.conf", encoding="utf8")
    return json.loads(conf["PROTOCOLS"]["Protocols SPA"])


def menu() -> Iterator[dict]:
    """Yield the entries of protocols.conf that are protocols."""
    waiting = sections()
    while waiting:
        item = waiting.pop()
        waiting += item.get("children", [])
        if item["tag"] == "protocol":
            yield item


def texts(item: dict) -> list[str]:
    """Return the texts of an entry of the menu and of all below it, in order."""
    below = [text for child in item.get("children", []) for text in texts(child)]
    return [item["text"], *below]


def own_protocols() -> dict[str, type[Protocol]]:
    found = pwem.Domain.getProtocols().items()
    return {name: c for name, c in found if c.__module__.startswith(PACKAGE)}


def list_names(outputs) -> list[str]:
    """Return the names of a protocol's possible outputs, an Enum or a dict."""
    if isinstance(outputs, dict):
        return list(outputs)
    return list(outputs.__members__)


def own_classes(submodule: str) -> dict[str, type]:
    if not (ROOT / submodule).exists() and not (ROOT / f"{submodule}.py").exists():
        return {}
    module = importlib.import_module(f"{PACKAGE}.{submodule}")
    members = inspect.getmembers(module, inspect.isclass)
    return {n: c for n, c in members if c.__module__.startswith(module.__name__)}


class TestDeepConsensusRegistry(unittest.TestCase):
    def test_plugin_is_discovered(self):
        module = pwem.Domain.getPlugins()[PACKAGE]
        plugin = module._pluginInstance

        self.assertIs(type(plugin), deepconsensus_plugin.Plugin)
        self.assertEqual(plugin.getName(), PACKAGE)
        self.assertEqual(plugin.getPath(), str(ROOT))
        self.assertEqual(plugin.validateInstallation(), [])

    def test_every_module_imports(self):
        for module in pkgutil.walk_packages([str(ROOT)], f"{PACKAGE}."):
            if ".tests" not in module.name and not module.name.endswith("__main__"):
                with self.subTest(module.name):
                    importlib.import_module(module.name)

    @slow
    def test_scanning_loads_no_learning_library(self):
        script = (
            "import sys, pwem\n"
            "d = pwem.Domain\n"
            "d.getProtocols(), d.getObjects(), d.getViewers(), d.getWizards()\n"
            "sys.exit(' '.join(m for m in ('tensorflow', 'keras') if m in sys.modules))"
        )
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True
        )

        self.assertEqual((run.returncode, run.stderr.splitlines()[-1:]), (1, [""]))

    def test_menu_and_protocols_are_the_same(self):
        names = [item["value"] for item in menu()]

        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(set(names), set(own_protocols()))

    def test_every_protocol_has_a_name_that_begins_with_the_plugins(self):
        module = importlib.import_module(f"{PACKAGE}.protocols")
        names = set(own_protocols())
        prefixed = {name for name in names if name.startswith("ProtDeepConsensus")}
        others = {c.__name__ for c in module._PREFIXED.values()}

        self.assertEqual(prefixed | others, names)
        self.assertEqual(len(others), len(module._PREFIXED))
        for name, protocol in module._PREFIXED.items():
            self.assertTrue(name.startswith("ProtDeepConsensus"))
            imported = pwem.Domain.importFromPlugin(module.__name__, name, doRaise=True)
            self.assertIs(imported, protocol)
            self.assertNotIn(name, names)  # not twice in the menu

    def test_menu_calls_each_protocol_by_its_label(self):
        for item in menu():
            with self.subTest(item["value"]):
                kind = own_protocols()[item["value"]]
                self.assertEqual(item["text"], kind._label)

    def test_menu_is_in_the_order_of_the_work(self):
        shown = texts(*sections())

        self.assertEqual(shown[:3], ["Particles", "Picking", "Deep consensus"])
        self.assertEqual(shown[3], "deep consensus")
        firsts = ("consensus of picks", "pick without training", "import picks")
        starts = [shown.index(first) for first in firsts]  # stages, pickers, tools
        self.assertEqual(starts, [4, 13, 18])
        self.assertEqual(len(shown), len(set(shown)))

    def test_new_runs_are_named_without_the_plugin(self):
        for name, protocol in own_protocols().items():
            with self.subTest(name):
                self.assertEqual(protocol.getClassLabel(), protocol._label)
                self.assertLess(len(f"{protocol._label} (10)"), 40)

    def test_class_names_are_unique_over_all_plugins(self):
        finders = {
            "objects": pwem.Domain.getObjects,
            "protocols": pwem.Domain.getProtocols,
            "viewers": pwem.Domain.getViewers,
            "wizards": pwem.Domain.getWizards,
        }
        for submodule in SCANNED:
            registered = finders[submodule]()
            for name, own in own_classes(submodule).items():
                if name in registered:
                    with self.subTest(name):
                        self.assertIs(registered[name], own)

    def test_outputs_of_a_protocol_are_no_aliases(self):
        for name, protocol in own_protocols().items():
            outputs = protocol._possibleOutputs
            if inspect.isclass(outputs) and issubclass(outputs, enum.Enum):
                with self.subTest(name):
                    self.assertEqual(len(list(outputs)), len(outputs.__members__))

    def test_every_citation_is_in_the_bibliography(self):
        known = parseBibTex(bibtex.__doc__)

        self.assertLessEqual(set(deepconsensus_plugin._references), set(known))
        for name, protocol in own_protocols().items():
            with self.subTest(name):
                self.assertLessEqual(set(protocol()._citations() or []), set(known))

    def test_every_reference_can_be_shown(self):
        protocol = next(iter(own_protocols().values()))()
        for key, entry in parseBibTex(bibtex.__doc__).items():
            with self.subTest(key):
                text = protocol._getCiteText(entry)
                self.assertIn(entry["year"], text)
                self.assertIn(entry["journal"], text)

    def test_every_protocol_can_be_made_and_has_help(self):
        for name, protocol in own_protocols().items():
            with self.subTest(name):
                made = protocol()
                self.assertTrue(made.getClassLabel())
                self.assertTrue(inspect.getdoc(protocol))
                self.assertTrue(made.isInstalled())

    def test_every_template_loads(self):
        protocols = own_protocols() | pwem.Domain.getProtocols()
        for path in sorted((ROOT / "templates").glob("*")):
            with self.subTest(path.name):
                self.assertTrue(path.name.endswith(".json.template"))
                template = LocalTemplate(PACKAGE, str(path))
                template.replaceEnvVariables()
                template.parseContent()
                template._replaceFields()
                nodes = json.loads("".join(template.getContent()))
                self.assertTrue(nodes)
                self.assertNotEqual(template.description, "Not provided")
                classes = {n["object.className"] for n in nodes}
                self.assertLessEqual(classes - protocols.keys(), OF_OTHER_PLUGINS)
                for node in nodes:
                    with self.subTest(node["object.label"]):
                        self.checkNode(node, nodes, protocols)

    def checkNode(self, node: dict, nodes: list[dict], protocols: dict) -> None:
        """Check that parameters exist, and that pointers lead to outputs that do."""
        if (kind := protocols.get(node["object.className"])) is None:
            return
        form = {name for name, _ in kind().iterDefinitionAttributes()}
        given = {name for name in node if not name.startswith("object.")}
        self.assertLessEqual(given, form)
        earlier = {n["object.id"]: n for n in nodes[: nodes.index(node)]}
        for name in given:
            param = kind().getParam(name)
            if not isinstance(param, params.PointerParam | params.MultiPointerParam):
                continue
            pointers = node[name] if isinstance(node[name], list) else [node[name]]
            for pointer in pointers:
                source, _, output = pointer.partition(".")
                self.assertIn(source, earlier)
                made_by = protocols.get(earlier[source]["object.className"])
                outputs = getattr(made_by, "_possibleOutputs", None)
                if output and outputs is not None:
                    self.assertIn(output, list_names(outputs))

    def test_templates_are_offered(self):
        plugin = pwem.Domain.getPlugins()[PACKAGE]._pluginInstance
        offered = {template.getObjId() for template in plugin.getTemplates()}

        stems = {p.name.split(".")[0] for p in (ROOT / "templates").glob("*")}
        self.assertEqual(offered, {f"{PACKAGE}-{stem}" for stem in stems})

    def test_logo_is_found(self):
        for protocol in own_protocols().values():
            self.assertTrue(os.path.isfile(protocol.getPluginLogoPath()))

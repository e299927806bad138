# SPDX-License-Identifier: GPL-3.0-or-later
"""Check of the plugin in a Scipion made from its packages, beside other plugins.

``make test-scipion``, or ``python -m tools.scipion_check DIST FOLDER``: makes an
environment of scipion-app, this plugin's wheel and the plugins that it works with, as
Scipion's installer does, but without their programs; then has Scipion list the plugins,
the menu and the tests, make the environment of the jobs, and run the demonstration on a
few micrographs, whose jobs must run there. Everything is kept in the folder, so that
the second time takes minutes only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLUGINS = {
    *("xmipp3", "eman2", "relion", "topaz", "sphire", "repic", "cryosparc2"),
    *("pwem", "deepconsensus_plugin"),
}
_LIST_PLUGINS = """
import json
from pyworkflow import Config
print(json.dumps(sorted(Config.getDomain().getPlugins())))
"""
_LIST_MENU = """
import json
from pyworkflow import Config
from pyworkflow.gui.project.viewprotocols_extra import ProtocolTreeConfig
trees = ProtocolTreeConfig.load(
    Config.getDomain(), Config.SCIPION_PROTOCOLS
)
def below(item):
    yield item.text
    for child in item:
        yield from below(child)
print(json.dumps([t for tree in trees.values() for t in below(tree)]))
"""
_LOAD_TEMPLATE = """
import json, os, sys
from pyworkflow import Config
from pyworkflow.project import Manager
from pyworkflow.template import TemplateList
domain = Config.getDomain()
domain.getPlugins()
found = TemplateList()
found.addPluginTemplates(tempId="deepconsensus_plugin-deep_consensus_xmipp_eman2")
(template,) = found.templates
template.replaceEnvVariables()
template.parseContent()
for name, value in (("boxSize", "96"), ("particleSize", "60"), ("samplingRate", "2")):
    template.setParamValue(name, value)
template._replaceFields()
nodes = json.loads("".join(template.getContent()))
project = Manager().createProject("template", location=sys.argv[1])
loaded = project.loadProtocols(jsonStr=json.dumps(nodes))
names = [each.getClassName() for each in loaded.values()]
wanted = [each["object.className"] for each in nodes]
print(json.dumps({"loaded": names, "absent": sorted(set(wanted) - set(names))}))
"""
_SMALL = ("numberOfMicrographs=3", "nEpochs=1", "nModels=1")


class Scipion:
    """Installation of Scipion in a folder, used through its command."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.python = folder / "env" / "bin" / "python"
        for name in ("lib", "bindings", "em"):
            (self.home / "software" / name).mkdir(parents=True, exist_ok=True)
        config = self.home / "config"
        config.mkdir(exist_ok=True)

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """Run ``scipion3 WORDS`` and return what it writes.

        Raises
        ------
        RuntimeError
            If it fails.
        """
        return _output(
            [str(self.python), "-m", "scipion", *words], self._environ(), cwd
        )

    def evaluate(self, script: str) -> Any:
        """Return the JSON that a script prints in Scipion's Python."""
        return _printed_json(self.run("python", "-c", script))

    def _environ(self) -> dict[str, str]:
        """Return what Scipion's launcher sets."""
        software = self.home / "software"
        return {
            **{k: v for k, v in os.environ.items() if k != "DEEPCONSENSUS_PYTHON"},
            "SCIPION_HOME": str(self.home),
            "SCIPION_USER_DATA": str(self.home / "user-data"),
            "PYTHONPATH": f":{software / 'bindings'}",
            "PYTHONUSERBASE": str(software / "python-packages"),
            "VIRTUAL_ENV": str(self.python.parents[1]),
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
        }


def _output(
    command: list[str], environ: dict[str, str] | None = None, cwd: Path | None = None
) -> str:
    done = subprocess.run(
        command, env=environ, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        told = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise RuntimeError(f"status {done.returncode} of {command}:\n{told}")
    return done.stdout + done.stderr


def _printed_json(text: str) -> Any:
    """Return the last line of an output that is JSON of a list or an object."""
    lines = [line for line in text.splitlines() if line.startswith(("[", "{"))]
    return json.loads(lines[-1])


def main(dist: Path, folder: Path) -> int:
    """Make the environment and check it; the exit status is 0 if all holds."""
    folder = folder.absolute()
    scipion = Scipion(folder)
    (wheel,) = dist.absolute().glob("*.whl")
    _stage("environment", lambda: install(scipion, wheel))
    _stage("plugins", lambda: check_plugins(scipion))
    _stage("menu", lambda: check_menu(scipion))
    _stage("tests", lambda: check_tests(scipion))
    _stage("template", lambda: check_template(scipion, folder))
    _stage("jobs' environment", lambda: make_jobs_environment(scipion))
    _stage("run", lambda: check_run(scipion, folder / "run"))
    return 0


def _stage(name: str, check: Callable[[], str]) -> None:
    start = time.monotonic()
    told = check()
    print(f"{name}: {told} ({time.monotonic() - start:.0f} s)", flush=True)


def install(scipion: Scipion, wheel: Path) -> str:
    """Make Scipion's environment, with the wheel; return its size."""
    if not scipion.python.exists():
        _output([sys.executable, "-m", "venv", str(scipion.python.parents[1])])
    pip = [str(scipion.python), "-m", "pip"]
    _output([*pip, "install", f"{wheel}[scipion]"])
    _output([*pip, "install", "--force-reinstall", "--no-deps", str(wheel)])
    _output([*pip, "check"])
    found = _output([*pip, "list", "--format=freeze"]).lower()
    for name in ("tensorflow=", "keras="):
        if name in found:
            raise RuntimeError(f"{name} is in Scipion's environment")
    return f"without TensorFlow, {_size(scipion.python.parents[1])}"


def _size(folder: Path) -> str:
    return _output(["du", "-sh", str(folder.resolve())]).split()[0]


def check_plugins(scipion: Scipion) -> str:
    """Return the plugins that Scipion finds."""
    found = scipion.evaluate(_LIST_PLUGINS)
    if missing := PLUGINS.difference(found):
        raise RuntimeError(f"plugins not found: {sorted(missing)}")
    return ", ".join(found)


def check_menu(scipion: Scipion) -> str:
    """Return how many entries of the menu there are, with ours among them."""
    found = scipion.evaluate(_LIST_MENU)
    labels = {"deep consensus", "train network", "score particles", "import picks"}
    if missing := labels.difference(found):
        raise RuntimeError(f"not in the menu: {sorted(missing)}")
    return f"{len(found)} entries"


def check_tests(scipion: Scipion) -> str:
    """Return how many classes of tests Scipion's command shows; run one."""
    shown = scipion.run("tests", "--show", "--grep", "deepconsensus_plugin")
    faults = [
        line
        for line in shown.splitlines()
        if "Error loading" in line and "deepconsensus_plugin" in line
    ]
    if faults:
        raise RuntimeError(f"tests do not load: {faults}")
    scipion.run("tests", "deepconsensus_plugin.tests.test_protocol_train.TestTrainForm")
    classes = set(re.findall(r"deepconsensus_plugin\.tests\.(\w+\.\w+)", shown))
    return f"{len(classes)} classes load"


def check_template(scipion: Scipion, folder: Path) -> str:
    """Return which nodes of the template for Xmipp and EMAN2 can be loaded.

    Xmipp's protocols import a library that comes with its programs only.
    """
    shutil.rmtree(folder / "template", ignore_errors=True)
    script = folder / "load_template.py"
    script.write_text(_LOAD_TEMPLATE)
    told = scipion.run("python", str(script), str(folder))
    found = _printed_json(told)
    if "EmanProtAutopick" not in found["loaded"] or any(
        not name.startswith("Xmipp") for name in found["absent"]
    ):
        raise RuntimeError(f"template: {found}")
    absent = f", without {', '.join(found['absent'])}" if found["absent"] else ""
    return f"{len(found['loaded'])} nodes{absent}"


def make_jobs_environment(scipion: Scipion) -> str:
    """Have Scipion make the environment of the jobs; return what `check` says of it."""
    scipion.run("installb", "deepconsensus")
    told = scipion.run("python", "-m", "deepconsensus_plugin", "check")
    (line,) = (each for each in told.splitlines() if "their environment" in each)
    if "made by scipion3 installb" not in told:
        raise RuntimeError(f"jobs do not run in it:\n{told}")
    (made,) = (scipion.home / "software" / "em").glob("deepconsensus-*")
    return f"{line.split('environment', 1)[1].strip()}, {_size(made)}"


def check_run(scipion: Scipion, project: Path) -> str:
    """Run the demonstration small, from another folder; return what it found."""
    shutil.rmtree(project, ignore_errors=True)
    words = ("run", "deep_consensus_demo", *_SMALL, "--project", str(project))
    scipion.run("python", "-m", "deepconsensus_plugin", *words, cwd=project.parent)
    logs = [path.read_text() for path in project.glob("Runs/*/logs/run.stdout")]
    jobs = [line for log in logs for line in log.splitlines() if "launcher.py" in line]
    inside = str(scipion.home / "software" / "em" / "deepconsensus")
    if not jobs or any(inside not in line for line in jobs):
        raise RuntimeError(f"jobs ran elsewhere: {jobs}")
    found = json.loads((project / "metrics.json").read_text())
    return f"{len(jobs)} jobs in it; F1 {found['f1']:.2f} on 3 micrographs"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))

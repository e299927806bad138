# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

import deepconsensus_plugin
from deepconsensus_plugin.__main__ import COMMANDS

HEAVY = ("keras", "pwem", "pyworkflow", "scipy", "sklearn", "tensorflow")


def modules_loaded_by(statement: str) -> set[str]:
    script = f"import json, sys\n{statement}\nprint(json.dumps(list(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    "module",
    [
        "",
        ".core",
        ".bootstrap",
        ".constants",
        ".bibtex",
        ".__main__",
        *(f".commands.{name}" for name in COMMANDS),
    ],
)
def test_import_loads_nothing_heavy(module):
    loaded = modules_loaded_by(f"import deepconsensus_plugin{module}")

    assert loaded.isdisjoint(HEAVY)


def test_version_is_the_installed_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", deepconsensus_plugin.__version__)
    assert version("scipion-em-deepconsensus") == deepconsensus_plugin.__version__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Plugins"):
        deepconsensus_plugin.Plugins  # noqa: B018

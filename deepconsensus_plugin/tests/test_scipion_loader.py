# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading of the tests as ``scipion3 tests`` does, where pytest is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from deepconsensus_plugin.tests.marks import slow

TESTS = Path(__file__).parent

_DISCOVER = """
import json, sys, unittest
sys.modules["pytest"] = None  # its import fails
suite = unittest.defaultTestLoader.discover(
    sys.argv[1], pattern="test*.py", top_level_dir=sys.argv[2]
)
found, waiting = [], [suite]
while waiting:
    for each in waiting.pop():
        (waiting if isinstance(each, unittest.TestSuite) else found).append(each)
print(json.dumps([each.id() for each in found]))
"""


@slow
def test_scipion_loads_every_test_of_a_protocol_and_fails_on_none():
    run = subprocess.run(
        [sys.executable, "-c", _DISCOVER, str(TESTS), str(TESTS.parents[1])],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(run.stdout.splitlines()[-1])

    assert [name for name in found if "_FailedTest" in name] == []
    modules = {name.rsplit(".", 2)[0].rsplit(".", 1)[-1] for name in found}
    protocols = {path.stem for path in TESTS.glob("test_protocol_*.py")}
    assert protocols <= modules
    assert "test_registry" in modules

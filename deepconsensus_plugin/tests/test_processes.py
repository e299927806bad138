# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of protocols: found again, and stopped with the run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil
import pytest

from deepconsensus_plugin.commands.processes import find_process, memory_mb

_SLEEP = "import time; time.sleep(60)"
# A shell's background jobs, and what they start, ignore SIGINT from the beginning.
_RUN = f"""
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from deepconsensus_plugin.commands.stopping import ending_at_once
with ending_at_once():
    child = subprocess.Popen([sys.executable, "-c", {_SLEEP!r}])
    print(child.pid, flush=True)
    child.wait()
"""


@pytest.fixture
def sleeping(tmp_path):
    """Run what looks like a protocol of a project."""
    words = [str(tmp_path), "Runs/000002_P/logs/run.db", "2"]
    with subprocess.Popen([sys.executable, "-c", _SLEEP, *words]) as process:
        time.sleep(0.2)
        yield process
        process.kill()


def test_a_protocol_is_found_by_its_project_and_database(sleeping, tmp_path):
    database = "Runs/000002_P/logs/run.db"
    found = find_process(f"{tmp_path}/.", database)
    assert found is not None
    assert found.pid == sleeping.pid
    assert 1 < memory_mb(found) < 200
    assert find_process(str(tmp_path), "Runs/000003_P/logs/run.db") is None
    assert find_process(str(tmp_path.parent), database) is None
    sleeping.kill()
    sleeping.wait()
    assert find_process(str(tmp_path), database) is None


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_children_end_with_the_run(number, status):
    with subprocess.Popen(
        [sys.executable, "-c", _RUN],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        child = psutil.Process(int(run.stdout.readline()))
        time.sleep(0.2)
        run.send_signal(number)
        assert run.wait(20) == status
        assert run.stderr.read() == "stopped\n"
    assert not child.is_running()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that one run works in: who is told of whom, and what a kill leaves."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest

from deepconsensus_plugin.core.errors import FolderInUseError
from deepconsensus_plugin.core.io.locks import LOCK_FILE, only_worker_in

_HOLD = """
import sys, time
from pathlib import Path
from deepconsensus_plugin.core.io.locks import only_worker_in
with only_worker_in(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Start another process that works in the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "at work\n"
        yield process
        process.kill()


def _note(folder, **changes):
    """Write what a run left that did not end in order."""
    born = psutil.Process().create_time()
    worker = {"host": socket.gethostname(), "pid": os.getpid(), "born": born}
    worker |= {"since": "2026-01-01 12:00:00", **changes}
    (folder / LOCK_FILE).write_text(json.dumps(worker))


def test_the_second_is_told_who_is_at_work_and_a_kill_leaves_nothing(other, tmp_path):
    with pytest.raises(FolderInUseError) as caught, only_worker_in(tmp_path):
        pass
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}: process {other.pid} on {socket.gethostname()}")
    assert "delete" not in said
    assert "remove" not in said
    other.kill()
    other.wait()
    with only_worker_in(tmp_path):
        pass


def test_the_same_process_is_told_as_well(tmp_path):
    with only_worker_in(tmp_path):
        with pytest.raises(FolderInUseError, match=str(os.getpid())):
            only_worker_in(tmp_path).__enter__()
    with only_worker_in(tmp_path):
        pass


def test_a_run_on_another_computer_is_known_by_its_signs_of_life(tmp_path):
    _note(tmp_path, host="elsewhere", pid=1)
    with pytest.raises(FolderInUseError, match="process 1 on elsewhere, since 2026-01"):
        only_worker_in(tmp_path).__enter__()
    long_ago = time.time() - 3600
    os.utime(tmp_path / LOCK_FILE, (long_ago, long_ago))
    with only_worker_in(tmp_path):
        pass


def test_without_locks_of_the_file_system_the_process_is_looked_for(
    tmp_path, monkeypatch
):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    _note(tmp_path)
    with pytest.raises(FolderInUseError, match=f"process {os.getpid()} on"):
        only_worker_in(tmp_path).__enter__()
    for ended in ({"pid": 2**22 + 1}, {"born": 1.0}):  # gone; another of its number
        _note(tmp_path, **ended)
        with only_worker_in(tmp_path):
            pass


def test_half_files_of_killed_processes_are_removed(other, tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    running = below / f".partial.{os.getpid()}.a.h5"
    for path in (running, below / f".partial.{other.pid}.b.h5", below / ".partial.x.c"):
        path.touch()
    other.kill()
    other.wait()
    with only_worker_in(tmp_path):
        assert {path.name for path in below.iterdir()} == {running.name, ".partial.x.c"}


def test_a_file_that_was_cut_off_locks_nothing(tmp_path):
    (tmp_path / LOCK_FILE).write_text('{"host": "else')
    with only_worker_in(tmp_path):
        pass

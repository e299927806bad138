# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in processes of their own, which tell the stage they are in and can be killed.

A run is forked from this process, which has imported all and computed nothing, so that
it costs no start of Python and TensorFlow.
"""

from __future__ import annotations

import mmap
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

# Imported before the fork, so that no run spends its time on it.
import keras  # noqa: F401

from benchmarks.faults.scene import STACKS, Scene, options_in
from deepconsensus_plugin.core import jobs
from deepconsensus_plugin.core.io import atomic
from deepconsensus_plugin.core.io.mrc import HEADER_BYTES
from deepconsensus_plugin.core.workflow import chain, running
from deepconsensus_plugin.tests.small_network import small_networks

STAGES = (
    *("consensus", "mask", "witness", "negatives", "train", "score"),
    *("fuse", "end"),
)
"""Stages of a run in their order; the last one selects and writes the table."""

REFUSED, FAULT = 3, 4
"""Exit statuses of a run that names what is wrong, and of one that does not."""

_RESULTS = ("scores.csv", "score.npy", "positions.npy", "calibration.json")
_PATIENCE_S = 120.0


@dataclass(frozen=True, eq=False)
class Run:
    """Run that was started: its process, and a byte that tells its stage."""

    pid: int
    _stage: mmap.mmap
    said: Path

    @property
    def stage(self) -> str:
        """The stage that it is in, or was in when it ended."""
        return STAGES[self._stage[0]]

    def wait_for(self, stage: str) -> bool:
        """Wait until a stage has begun; return whether the run is still going on."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._stage[0] < STAGES.index(stage):
            if self.ended() or time.monotonic() > deadline:
                return False
            time.sleep(0.0002)
        return not self.ended()

    def ended(self) -> bool:
        """Return whether the process has ended; it can still be waited for."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, options) is not None

    def send(self, number: int) -> None:
        """Send a signal to the process."""
        os.kill(self.pid, number)

    def status(self) -> int:
        """Return the exit status, that of a signal negative; kills what hangs."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self.ended() and time.monotonic() < deadline:
            time.sleep(0.001)
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def start(
    scene: Scene,
    folder: Path,
    *,
    said: Path | None = None,
    before: Callable[[], None] | None = None,
    file_limit: int | None = None,
) -> Run:
    """Start a run of a scene in a folder.

    Parameters
    ----------
    scene : Scene
        Its input.
    folder : Path
        Where its files go.
    said : Path, optional
        File of what it says. None: beside the folder.
    before : callable, optional
        Called in the new process first.
    file_limit : int, optional
        Largest file that can be written, bytes: stands for a full disk.
    """
    stage, said = mmap.mmap(-1, 1), said or Path(f"{folder}.log")
    pid = os.fork()
    if pid:
        return Run(pid, stage, said)
    status = FAULT
    try:
        _redirect(said)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if before is not None:
            before()
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
        status = _carry_out(scene, folder, stage)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _redirect(said: Path) -> None:
    with said.open("w") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    sys.stdout = sys.stderr = open(2, "w", closefd=False)


def _carry_out(scene: Scene, folder: Path, stage: mmap.mmap) -> int:
    try:
        with small_networks(), _told(stage):
            chain.run_deep_consensus(*scene.read(), options_in(folder), folder)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", flush=True)
        return REFUSED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


@contextmanager
def _told(stage: mmap.mmap) -> Iterator[None]:
    """Write the stage into a byte that another process reads."""

    def carry_out(request: Any, progress: Any) -> Any:
        stage[0] = STAGES.index(jobs.job_kind(request))
        return jobs.carry_out(request, progress)

    select = chain.select_scored

    def select_scored(*arguments: Any, **options: Any) -> Any:
        stage[0] = STAGES.index("end")
        return select(*arguments, **options)

    with (
        patch.object(running, "carry_out", carry_out),
        patch.object(chain, "select_scored", select_scored),
    ):
        yield


def finished(folder: Path) -> dict[str, bytes]:
    """Return what must be the same to the bit at the end of every run."""
    found = {name: (folder / name).read_bytes() for name in _RESULTS}
    for stack in sorted((folder / STACKS).glob("*.mrcs")):
        found[stack.name] = stack.read_bytes()[HEADER_BYTES:]  # with a date in it
    return found


def left_over(folder: Path) -> list[str]:
    """Return the half files that a run left, below its folder."""
    return [path.name for path in folder.rglob(f"{atomic.PARTIAL}*")]

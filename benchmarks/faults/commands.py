# SPDX-License-Identifier: GPL-3.0-or-later
"""Command *run*, with all of Scipion, stopped at random moments and gone on with."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.faults.disk import SmallDisk
from benchmarks.faults.trials import REFUSAL, SAME, WRONG, Outcome
from deepconsensus_plugin.tests.run_scene import make_scene, run_command

_STATUSES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
_LONGEST_END_S = 5.0
_LEFT_BYTES = 400_000
_LINE = "stopped; the same command goes on from here"


def command_outcomes(folder: Path, n: int, seed: int) -> Iterator[Outcome]:
    """Yield the ends of `n` runs that are stopped once each."""
    if not n:
        return
    shutil.rmtree(folder, ignore_errors=True)
    scene, rng = make_scene(folder), np.random.default_rng(seed)
    seconds = _finish(scene, "undisturbed")
    expected = (folder / "undisturbed" / "scores.csv").read_bytes()
    moments = (np.arange(n) + rng.uniform(size=n)) / n * seconds
    for i, moment in enumerate(moments.tolist()):
        number = [*_STATUSES][i % len(_STATUSES)]
        where = f"after {round(100 * moment / seconds, -1):.0f} % of the time"
        fault = _stop(scene, f"run_{i}", moment, number)
        _finish(scene, f"run_{i}")
        if (folder / f"run_{i}" / "scores.csv").read_bytes() != expected:
            fault = fault or "other scores.csv"
        verdict = WRONG if fault else SAME
        yield Outcome(f"command, {number.name}", where, verdict, fault)


def full_disk_outcomes(
    folder: Path, disk: SmallDisk | None, n: int, seed: int
) -> Iterator[Outcome]:
    """Yield the ends of `n` runs in a project on a disk that is full for a while."""
    if disk is None or not n:
        return
    scene, rng = make_scene(folder), np.random.default_rng(seed)
    seconds = _finish(scene, "undisturbed")
    expected = (folder / "undisturbed" / "scores.csv").read_bytes()
    moments = (np.arange(n) + rng.uniform(size=n)) / n * seconds
    for moment in moments.tolist():
        project = disk.path / "project"
        shutil.rmtree(project, ignore_errors=True)
        where = f"after {round(100 * moment / seconds, -1):.0f} % of the time"
        left = int(rng.integers(_LEFT_BYTES))
        fault, was_refused = _starve(scene, project, disk, moment, left)
        try:
            _finish(scene, str(project))
        except RuntimeError as error:
            fault = fault or f"does not go on: {error}"
        else:
            if (project / "scores.csv").read_bytes() != expected:
                fault = fault or "other scores.csv"
        verdict = WRONG if fault else REFUSAL if was_refused else SAME
        yield Outcome("command, disk full", where, verdict, fault)


def _starve(
    scene: Path, project: Path, disk: SmallDisk, moment: float, left: int
) -> tuple[str, bool]:
    """Run with a full disk from a moment on; return what is wrong, and if it failed."""
    with subprocess.Popen(
        run_command(scene, project=str(project)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        time.sleep(moment)
        with disk.filled(but=left):
            said, _ = run.communicate(timeout=600)
    if run.returncode == 0:
        return "", False
    is_told = run.returncode == 1 and "error: " in said and "Traceback" not in said
    return "" if is_told else f"status {run.returncode}: {said[-800:]!r}", True


def _finish(scene: Path, project: str) -> float:
    """Run to the end; return how long it took."""
    started = time.monotonic()
    command = run_command(scene, project=project)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return time.monotonic() - started


def _stop(scene: Path, project: str, moment: float, number: signal.Signals) -> str:
    """Stop a run as a terminal does, with all it started; return what is wrong."""
    with subprocess.Popen(
        run_command(scene, project=project),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_interrupts,
    ) as run:
        try:
            run.wait(moment)
            return ""  # it was over
        except subprocess.TimeoutExpired:
            sent = time.monotonic()
        if number is signal.SIGINT:
            os.killpg(run.pid, number)
        else:
            run.send_signal(number)
        status = run.wait(60)
        took = time.monotonic() - sent
        said = run.stdout.read() if number is not signal.SIGKILL else ""
        if number is signal.SIGKILL:
            os.killpg(run.pid, number)
    faults = []
    if status != _STATUSES[number]:
        faults.append(f"status {status}")
    if number is not signal.SIGKILL:
        if took > _LONGEST_END_S:
            faults.append(f"ended after {took:.1f} s")
        if said.count(_LINE) + said.count("stopped\n") != 1 or "Traceback" in said:
            faults.append(f"said {said[-500:]!r}")
    return "; ".join(faults)


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Disturbances of runs, one function a kind: what was done, and how it ended."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.faults.disk import SmallDisk
from benchmarks.faults.scene import Scene, make_scene
from benchmarks.faults.victim import (
    REFUSED,
    STAGES,
    Run,
    finished,
    left_over,
    start,
)

SAME, REFUSAL, WRONG = "same end", "refused, then same end", "wrong"
AFTER = "after"
"""Place of a disturbance that came when the run was over."""

SIGNALS = {
    signal.SIGKILL: (-signal.SIGKILL,),
    signal.SIGINT: (128 + signal.SIGINT,),
    signal.SIGTERM: (-signal.SIGTERM, 128 + signal.SIGTERM),
}
_AGAIN = 0.25
"""Share of killed runs that are killed once more when they go on."""

_LEFT_BYTES = 50_000
"""Most that is left free on a full disk."""


@dataclass(frozen=True)
class Outcome:
    """End of a disturbed run."""

    kind: str
    stage: str
    verdict: str
    detail: str = ""


@dataclass(eq=False)
class Trials:
    """Runs of one scene that are disturbed, and compared with an undisturbed one.

    Parameters
    ----------
    root : Path
        Folder of all of them.
    rng : numpy.random.Generator
        Decides the moments.
    """

    root: Path
    rng: np.random.Generator
    _n: int = 0

    def __post_init__(self) -> None:
        self.scene = make_scene(self.root / "scene")
        self.durations = self._measure()
        self.expected = finished(self.root / "undisturbed")
        self.other = make_scene(self.root / "other", seed=1)

    def _measure(self) -> dict[str, float]:
        """Run undisturbed; return how long each stage takes, s."""
        begun, run = {}, start(self.scene, self.root / "undisturbed")
        while not run.ended():
            begun.setdefault(run.stage, time.monotonic())
            time.sleep(0.0005)
        moments = [*begun.values(), time.monotonic()]
        if run.status() != 0:
            raise RuntimeError(run.said.read_text())
        return dict(zip(begun, np.diff(moments).tolist(), strict=True))

    def new_folder(self) -> Path:
        """Return a folder for a run, not made yet."""
        self._n += 1
        return self.root / f"run_{self._n}"

    # -------------------------- kinds --------------------------
    def kill(self, stage: str, number: signal.Signals) -> Outcome:
        """Send a signal at a random moment of a stage, perhaps twice; go on."""
        folder = self.new_folder()
        at, status = self._disturb(folder, stage, number)
        fault = "" if status in SIGNALS[number] or status == 0 else f"status {status}"
        if self.rng.random() < _AGAIN:
            self._disturb(folder, str(self.rng.choice(STAGES)), number)
        return self._end(number.name, at, folder, self.scene, fault=fault)

    def fill_disk(self, stage: str, disk: SmallDisk) -> Outcome:
        """Let the disk be full from a random moment of a stage; go on with place."""
        folder, said = disk.path / "run", self.new_folder().with_suffix(".log")
        shutil.rmtree(folder, ignore_errors=True)
        run = start(self.scene, folder, said=said)
        self._wait(run, stage)
        at = run.stage
        with disk.filled(but=int(self.rng.integers(_LEFT_BYTES))):
            fault, refused = _refusal(run, "No space left on device", "errno = 28")
        return self._end("disk full", at, folder, self.scene, fault, refused)

    def limit_files(self, limit: int) -> Outcome:
        """Let no file grow beyond a limit, as a quota does; go on without."""
        folder = self.new_folder()
        run = start(self.scene, folder, file_limit=limit)
        fault, refused = _refusal(run, "File too large", "errno = 27")
        return self._end("file limit", run.stage, folder, self.scene, fault, refused)

    def protect_project(self, stage: str, disk: SmallDisk) -> Outcome:
        """Kill a run, and go on where nothing can be written; then where it can."""
        folder, said = disk.path / "run", self.new_folder().with_suffix(".log")
        shutil.rmtree(folder, ignore_errors=True)
        run = start(self.scene, folder, said=said)
        self._wait(run, stage)
        at = run.stage
        run.send(signal.SIGKILL)
        run.status()
        with disk.read_only():
            run = start(self.scene, folder, said=said)
            fault, refused = _refusal(run, "Read-only file system", "Permission denied")
        return self._end("read-only project", at, folder, self.scene, fault, refused)

    def protect_input(self, disk: SmallDisk) -> Outcome:
        """Run on input that cannot be written to."""
        there = disk.path / "scene"
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(self.scene.folder, there)
        with disk.read_only():
            folder = self.new_folder()
            return self._end("read-only input", "consensus", folder, Scene(there))

    def lose(self, stage: str) -> Outcome:
        """Kill a run, take a micrograph away, go on; put it back, go on."""
        folder, scene = self.new_folder(), self._own_scene()
        at, _ = self._disturb(folder, stage, signal.SIGKILL, scene)
        path = scene.micrograph(1)
        path.rename(path.with_suffix(".away"))
        fault, refused = _refusal(start(scene, folder), path.name)
        path.with_suffix(".away").rename(path)
        return self._end("vanished micrograph", at, folder, scene, fault, refused)

    def exchange(self, stage: str, what: str) -> Outcome:
        """Kill a run, put another file in the place of an input, and go on.

        The new file has the size and the time of the old one.
        """
        folder, scene = self.new_folder(), self._own_scene()
        at, _ = self._disturb(folder, stage, signal.SIGKILL, scene)
        if what == "micrograph":
            source, target = self.other.micrograph(1), scene.micrograph(1)
        else:
            source, target = self.other.picks("first"), scene.picks("first")
        status = target.stat()
        shutil.copyfile(source, target)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        undisturbed = self.root / f"undisturbed_{what}"
        if not undisturbed.exists():
            run = start(scene, undisturbed)
            if run.status() != 0:
                raise RuntimeError(run.said.read_text())
        expected = finished(undisturbed)
        return self._end(f"exchanged {what}", at, folder, scene, expected=expected)

    def run_two(self, stage: str) -> Outcome:
        """Start a second run while one is at work; one of them says so."""
        folder = self.new_folder()
        first = start(self.scene, folder)
        self._wait(first, stage)
        at = first.stage
        second = start(self.scene, folder, said=self.new_folder().with_suffix(".log"))
        ends = [_refusal(run, "is at work in it") for run in (second, first)]
        fault = next((fault for fault, _ in ends if fault), "")
        n_refused = sum(refused for _, refused in ends)
        if n_refused == len(ends):
            fault = "both were refused"
        was_refused = n_refused > 0
        return self._end("two at once", at, folder, self.scene, fault, was_refused)

    # -------------------------- parts --------------------------
    def _own_scene(self) -> Scene:
        folder = self.new_folder()
        shutil.copytree(self.scene.folder, folder)
        return Scene(folder)

    def _wait(self, run: Run, stage: str) -> None:
        """Wait until a random moment of a stage, or the end."""
        if run.wait_for(stage):
            time.sleep(float(self.rng.uniform(0, self.durations[stage])))

    def _disturb(
        self,
        folder: Path,
        stage: str,
        number: signal.Signals,
        scene: Scene | None = None,
    ) -> tuple[str, int]:
        """Send a signal in a stage; return where it was, and the exit status."""
        run = start(scene or self.scene, folder)
        self._wait(run, stage)
        at = AFTER if run.ended() else run.stage
        run.send(number)
        return at, run.status()

    def _end(
        self,
        kind: str,
        stage: str,
        folder: Path,
        scene: Scene,
        fault: str = "",
        was_refused: bool = False,
        expected: dict[str, bytes] | None = None,
    ) -> Outcome:
        """Run to the end, and compare."""
        run = start(scene, folder, said=self.new_folder().with_suffix(".log"))
        if run.status() != 0:
            fault = fault or f"does not go on: {_last_line(run)}"
        elif (found := finished(folder)) != (expected or self.expected):
            wanted = expected or self.expected
            other = [name for name in wanted if found.get(name) != wanted[name]]
            fault = fault or f"other {', '.join(other)}"
        elif left := left_over(folder):
            fault = fault or f"left over: {', '.join(left)}"
        shutil.rmtree(folder, ignore_errors=True)
        verdict = WRONG if fault else REFUSAL if was_refused else SAME
        return Outcome(kind, stage, verdict, fault)


def _refusal(run: Run, *words: str) -> tuple[str, bool]:
    """Return what is wrong with the end of a run, and whether it was a refusal."""
    status = run.status()
    if status == 0:
        return "", False
    said = _last_line(run)
    if status == REFUSED and any(word in said for word in words):
        return "", True
    return f"status {status}: {said}", False


def _last_line(run: Run) -> str:
    lines = run.said.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


@contextmanager
def trials_in(root: Path, seed: int) -> Iterator[Trials]:
    """Yield trials in an empty folder, which is removed afterwards."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    try:
        yield Trials(root, np.random.default_rng(seed))
    finally:
        shutil.rmtree(root, ignore_errors=True)

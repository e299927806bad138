# SPDX-License-Identifier: GPL-3.0-or-later
"""Streaming of *deep consensus*: nothing is lost, and the end equals a batch run.

    python -m benchmarks.speed.streaming OUT [--micrographs 40] [--every 5]

Simulated micrographs come one after another to an open set, and the picks of two
pickers, one behind the other, to open sets of their own. Two runs of *deep consensus*
follow them, each a process: one undisturbed, one that is killed in the middle (SIGKILL,
with its jobs) and continued. When all sets are closed and both runs have ended, the
protocols of the single stages run on the same sets. Networks are small, so that this
takes eight minutes; how good they are is not looked at here.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.consensus.classical import pick_all
from benchmarks.sets.simulated_sets import simulate_set
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.core.streaming import StreamProgress

SET, SEED = "tetramer-80", 3
SMALL = {"nModels": 1, "nEpochs": 1, "batchSize": 64, "inputSize": 48, "seed": SEED}
STREAMING = {"preliminaryPositives": 200, "streamingSleepOnWait": 2}
_SECONDS_BETWEEN_LOOKS = 1.0
_N_MEMORY_ROWS = 12


@dataclass
class Look:
    """Snapshot of a run.

    Parameters
    ----------
    seconds : float
        Since the first micrograph.
    n_micrographs : int
        That had come.
    own_mb, all_mb : float
        Memory of the protocol's process, and with its jobs, MiB.
    """

    seconds: float
    n_micrographs: int
    own_mb: float
    all_mb: float


@dataclass
class Followed:
    """A run of *deep consensus*, as seen from outside.

    Parameters
    ----------
    protocol : Protocol
        The run.
    looks : list of Look
        While its process was there.
    progress : StreamProgress
        The last that it reported before its end.
    seconds : float
        When it ended.
    """

    protocol: object
    looks: list[Look] = field(default_factory=list)
    progress: StreamProgress = field(default_factory=StreamProgress)
    seconds: float = 0.0


class Bench:
    """The project, what is fed to it, and the runs that follow.

    Parameters
    ----------
    out : Path
        Folder for the micrographs and the project, which is made anew.
    n_micrographs : int
        How many come.
    """

    def __init__(self, out: Path, n_micrographs: int):
        from pwem import Domain
        from pyworkflow.project import Project

        from benchmarks.speed.stream_feed import Feed

        simulated = simulate_set(SET, SEED, out, n_micrographs=n_micrographs).good
        picked = pick_all(simulated, out)
        number = 1 + sum(path.is_dir() for path in out.glob("project_*"))
        self.project = Project(Domain, str(out / f"project_{number}"))
        self.project.create()
        self.feed = Feed(self.project, simulated.micrographs, picked)
        self.runs = {
            name: Followed(self._new_screen(name)) for name in ("undisturbed", "killed")
        }
        self.started = time.monotonic()

    def _new_screen(self, label: str):
        from deepconsensus_plugin.protocols import ProtDeepConsensusScreen

        screen = self.project.newProtocol(
            ProtDeepConsensusScreen, **SMALL, **STREAMING, numberOfThreads=1
        )
        screen.setObjLabel(label)
        screen.inputCoordinates.set(self.feed.pointers())
        return screen

    def stream(self, every_s: float, *, kill_at: int) -> None:
        """Feed everything, and wait until both runs have ended."""
        self.started = time.monotonic()
        next_s, is_killed, is_left = 0.0, False, True
        while is_left or any(run.seconds == 0 for run in self.runs.values()):
            if is_left and self._now() >= next_s:
                is_left = self.feed.advance()
                next_s += every_s
                if not is_left:
                    self.feed.close()
                if self.feed.n_seen == 1:
                    for run in self.runs.values():
                        self.project.launchProtocol(run.protocol, wait=False)
            if not is_killed and self.feed.n_seen >= kill_at:
                is_killed = self._kill(self.runs["killed"])
            for run in self.runs.values():
                self._look(run)
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _now(self) -> float:
        return time.monotonic() - self.started

    def _process(self, run: Followed) -> psutil.Process | None:
        from deepconsensus_plugin.commands.processes import find_process

        return find_process(self.project.getPath(), run.protocol.getDbPath())

    def _kill(self, run: Followed) -> bool:
        """Kill a run with all its jobs while a job is at work, and continue it."""
        process = self._process(run)
        jobs = [] if process is None else process.children(recursive=True)
        if not jobs:
            return False
        for each in (process, *jobs):
            each.send_signal(signal.SIGKILL)
        psutil.wait_procs([process, *jobs], timeout=10)
        print(f"killed at {self._now():.0f} s, {self.feed.n_seen} micrographs")
        self.project.launchProtocol(run.protocol, wait=False)
        return True

    def _look(self, run: Followed) -> None:
        from deepconsensus_plugin.commands.processes import memory_mb

        if run.seconds:
            return
        if (process := self._process(run)) is not None:
            try:
                own = process.memory_info().rss / 2**20
                found = own, memory_mb(process)
            except psutil.NoSuchProcess:
                return
            run.looks.append(Look(self._now(), self.feed.n_seen, *found))
            run.progress = run.protocol.readProgress() or run.progress
            return
        self.project._updateProtocol(run.protocol)
        if run.protocol.isFailed():
            raise RuntimeError(f"failed: {run.protocol.getErrorMessage()}")
        if run.protocol.isFinished():
            run.seconds = self._now()

    def run_stages(self):
        """Run the protocols of the stages on the complete sets; return the last two."""
        from deepconsensus_plugin import protocols as p

        launch = self._launch
        consensus = launch(
            p.ProtDeepConsensusPicks, inputCoordinates=self.feed.pointers()
        )
        candidates = consensus, "outputCoordinatesOR"
        agreed = consensus, "outputCoordinatesAND"
        negatives = launch(
            p.ProtDeepConsensusNegatives,
            inputCoordinates=candidates,
            inputPositives=agreed,
            seed=SEED,
            numberOfThreads=1,
        )
        trained = launch(
            p.ProtDeepConsensusTrain,
            inputPositives=agreed,
            inputNegatives=(negatives, "outputCoordinatesNEG"),
            numberOfThreads=1,
            **SMALL,
        )
        scored = launch(
            p.ProtDeepConsensusScore,
            inputCoordinates=candidates,
            inputModel=(trained, "outputModel"),
            writeStacks=True,
            seed=SEED,
            numberOfThreads=1,
        )
        selected = launch(
            p.ProtDeepConsensusSelect,
            inputParticles=(scored, "outputParticles"),
            thresholdMode=2,
        )
        return scored, selected

    def _launch(self, kind, **options):
        """Run a protocol to its end; a tuple is a run and the name of its output."""
        from pyworkflow.object import Pointer

        run = self.project.newProtocol(kind)
        for name, value in options.items():
            if isinstance(value, tuple):
                value = Pointer(value[0], extended=value[1])
                getattr(run, name).copy(value)
            else:
                getattr(run, name).set(value)
        self.project.launchProtocol(run, wait=True)
        return run


def rows_of(items) -> list[Mapping[str, object]]:
    """Return all that the items of a set hold, but for the files of images."""
    return [
        {k: v for k, v in item.getObjDict().items() if "filename" not in k.lower()}
        for item in items.iterItems()
    ]


def ends(bench: Bench) -> list[list[object]]:
    """Return a row for every run: what it ended with, against the stages."""
    scored, selected = bench.run_stages()
    everything, accepted = (rows_of(run.outputParticles) for run in (scored, selected))
    rows = [["stages", len(everything), len(accepted), "", "", "", "", ""]]
    for name, run in bench.runs.items():
        mine = rows_of(run.protocol.outputParticlesScored)
        chosen = rows_of(run.protocol.outputParticles)
        places = [_place(row) for row in mine]
        known = {_place(row) for row in everything}
        rows.append(
            [
                name,
                len(mine),
                len(chosen),
                len(known - set(places)),
                len(places) - len(set(places)),
                "yes" if mine == everything and chosen == accepted else "NO",
                f"{len(run.progress.trained_on)} on {run.progress.trained_on}",
                f"{run.seconds:.0f}",
            ]
        )
    return rows


def _place(row: Mapping[str, object]) -> tuple[object, ...]:
    names = ("_coordinate._micName", "_coordinate._x", "_coordinate._y")
    return tuple(row[name] for name in names)


def memory_rows(run: Followed) -> list[list[object]]:
    """Return the largest memory in each part of the time."""
    n = max(1, len(run.looks) // _N_MEMORY_ROWS)
    parts = [run.looks[i : i + n] for i in range(0, len(run.looks), n)]
    return [
        [
            f"{part[-1].seconds:.0f}",
            part[-1].n_micrographs,
            f"{max(look.own_mb for look in part):.0f}",
            f"{max(look.all_mb for look in part):.0f}",
        ]
        for part in parts
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder for micrographs and projects")
    parser.add_argument("--micrographs", type=int, default=40)
    parser.add_argument("--every", type=float, default=5, help="seconds")
    arguments = parser.parse_args()
    prepare_environment()
    bench = Bench(arguments.out.resolve(), arguments.micrographs)
    bench.stream(arguments.every, kill_at=arguments.micrographs // 2)
    header = "run,scored,accepted,lost,doubled,equal,trained before,s".split(",")
    print(markdown_table(header, ends(bench)), end="\n\n")
    header = ["s", "micrographs", "protocol, MB", "with jobs, MB"]
    print(markdown_table(header, memory_rows(bench.runs["undisturbed"])))


if __name__ == "__main__":
    main()

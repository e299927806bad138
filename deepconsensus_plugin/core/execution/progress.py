# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work, and the places where a job has it done."""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from deepconsensus_plugin.core.execution.executor import Executor
from deepconsensus_plugin.core.execution.threads import Threads
from deepconsensus_plugin.core.io.atomic import write_text

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_REPORTS = 1.0


@dataclass(eq=False)
class Progress:
    """Progress of long work: a bar on a terminal, a JSON file for other processes.

    Parameters
    ----------
    path : Path, optional
        File that always holds ``{"stage", "done", "total"}`` of the running stage.
    executor : Executor
        Does what is done for each micrograph and needs no network.
    networks : Executor, optional
        Does what networks compute, in processes that load them. None: this process
        computes it.
    """

    path: Path | None = None
    executor: Executor = field(default_factory=Threads)
    networks: Executor | None = None
    timings: dict[str, StageCost] = field(default_factory=dict)
    """Seconds and memory of each finished stage."""

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a stage of `total` units; yield the function that counts them."""
        started, last, done = time.monotonic(), 0.0, 0
        logger.info("%s: started, %d to do", name, total)
        with tqdm(total=total, desc=name, disable=None, file=sys.stderr) as bar:

            def advance(units: int = 1) -> None:
                nonlocal last, done
                done += units
                bar.update(units)
                if time.monotonic() - last > _SECONDS_BETWEEN_REPORTS:
                    last = time.monotonic()
                    self._write(name, done, total)

            yield advance
        self._write(name, done, total)
        seconds = time.monotonic() - started
        self.timings[name] = StageCost(seconds, peak_memory_mb())
        logger.info("%s: %d done in %.1f s", name, done, seconds)

    def _write(self, stage: str, done: int, total: int) -> None:
        if self.path is None:
            return
        report = {"stage": stage, "done": done, "total": total}
        write_text(self.path, json.dumps(report), is_lasting=False)


@dataclass(frozen=True)
class StageCost:
    """Time and memory of one stage.

    Parameters
    ----------
    seconds : float
        Wall time.
    peak_memory_mb : float
        Highest resident memory of the process up to its end, MiB.
    """

    seconds: float
    peak_memory_mb: float


def peak_memory_mb() -> float:
    """Return the highest resident memory of this process so far, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)

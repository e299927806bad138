# SPDX-License-Identifier: GPL-3.0-or-later
"""Places where a job has its work done: threads, processes, GPUs, or a scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.execution.dask_scheduler import (
    PREFIXES,
    DaskWorkers,
    check_answers,
)
from deepconsensus_plugin.core.execution.processes import Processes
from deepconsensus_plugin.core.execution.progress import Progress
from deepconsensus_plugin.core.execution.threads import Threads

THREADS, PROCESSES = "threads", "processes"


@dataclass(frozen=True)
class WorkPlace(Declared):
    """Place where what is done for each micrograph is done."""

    scheduler: str | None = field(
        default=None,
        metadata=declare(
            "Scheduler",
            "Where micrographs are worked on.\n"
            "*threads*: threads of one process, as many as above.\n"
            "*processes*: as many processes of this computer.\n"
            "*tcp://host:8786*: the workers of a dask.distributed scheduler, by its "
            "address; networks are computed there, too. They must see the files of the "
            "project under the same paths, and have this plugin installed. The result "
            "is the same.",
            if_none="the Scipion variable DEEPCONSENSUS_SCHEDULER, or threads",
            is_expert=True,
        ),
    )

    def conflicts(self) -> list[str]:
        """Return a sentence if the scheduler is no word or address that is known."""
        name = self.scheduler
        if not isinstance(name, str) or name in (THREADS, PROCESSES):
            return []
        is_address = name.startswith(PREFIXES) and not name.endswith("//")
        return [] if is_address else [_refusal(name)]

    @property
    def address(self) -> str | None:
        """Address of the scheduler; None where there is none."""
        return None if self.scheduler in (None, THREADS, PROCESSES) else self.scheduler

    def check(self) -> None:
        """Refuse a scheduler that does not answer.

        Raises
        ------
        ValueError
            If it does not.
        """
        if self.address is not None:
            check_answers(self.address)


@contextmanager
def working_at(
    place: WorkPlace, gpus: Sequence[str] = (), *, path: Path | None = None
) -> Iterator[Progress]:
    """Open the place of a job's work, and yield its progress.

    Parameters
    ----------
    place : WorkPlace
        As chosen.
    gpus : sequence of str
        Numbers of the GPUs of this process. Several compute networks side by side,
        unless a scheduler does.
    path : Path, optional
        File of the progress.

    Raises
    ------
    ValueError
        If the scheduler does not answer.
    """
    if place.address is not None:
        with DaskWorkers(place.address) as workers:
            yield Progress(path, executor=workers, networks=workers.for_networks())
        return
    executor = Processes() if place.scheduler == PROCESSES else Threads()
    networks = Processes(gpus) if len(gpus) > 1 else None
    yield Progress(path, executor=executor, networks=networks)


def _refusal(name: str) -> str:
    return (
        f"Scheduler: it must be {THREADS}, {PROCESSES} or an address such as "
        f"tcp://host:8786, received {name}"
    )

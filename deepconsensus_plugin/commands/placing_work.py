# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of a run's work: a scheduler of workers, a queue, or this computer.

Neither changes results, so a project may go on with others; they are no settings that
it keeps.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pyworkflow
from pyworkflow.constants import QUEUE_FOR_JOBS
from pyworkflow.project import Project
from pyworkflow.protocol import HostConfig, Protocol, getProtocolFromDb

from deepconsensus_plugin.commands.project import Protocols
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.execution.places import WorkPlace
from deepconsensus_plugin.report.forms import PLUGIN

logger = logging.getLogger(__name__)

_YES, _NO = "yes", "no"
_IN_QUEUE = "Y"
"""Value of `QUEUE_FOR_JOBS` that sends jobs to the queue, and leaves the rest here."""


def check_places(settings: RunSettings) -> None:
    """Refuse a scheduler that does not answer, and a queue that is not configured.

    Raises
    ------
    ValueError
        Says what was expected.
    """
    WorkPlace(settings.scheduler).check()
    if settings.queue not in (None, _NO):
        hosts = Path(pyworkflow.Config.SCIPION_HOSTS)
        _find_queue(settings.queue, next(iter(HostConfig.load(str(hosts)).values())))


def _find_queue(word: str, host: HostConfig) -> tuple[str, dict[str, str]]:
    """Return the name of a queue and the defaults of its parameters.

    Raises
    ------
    ValueError
        If the computer has no queue, or none of this name.
    """
    hosts = pyworkflow.Config.SCIPION_HOSTS
    queues = host.queueSystem.queues if host.queueSystem.hasName() else None
    if not queues:
        raise ValueError(
            f"queue={word}: expected a queue in {hosts} (NAME, SUBMIT_COMMAND, QUEUES "
            "and so on), received none; docs/cluster.md shows one"
        )
    name = next(iter(queues)) if word == _YES else word
    if name not in queues:
        raise ValueError(
            f"queue={word}: expected yes, no or one of {', '.join(queues)}, which "
            f"{hosts} has"
        )
    defaults = {each[0]: str(each[1]) for each in queues[name] or ()}
    return name, defaults


def place_work(project: Project, protocols: Protocols, settings: RunSettings) -> None:
    """Tell protocols where they do their work; those that have finished stay."""
    for protocol in protocols.values():
        if protocol.isFinished() or not _has_jobs(protocol):
            continue
        if settings.scheduler is not None and hasattr(protocol, "scheduler"):
            protocol.scheduler.set(settings.scheduler)
        if settings.queue is not None:
            is_queued = settings.queue != _NO
            protocol._useQueue.set(is_queued)
            if is_queued:
                name, parameters = _find_queue(
                    settings.queue, project.getHostConfig(protocol.getHostName())
                )
                protocol.setQueueParams(
                    [name, parameters | {QUEUE_FOR_JOBS: _IN_QUEUE}]
                )
        project._storeProtocol(protocol)  # Scipion saves no form that others need
    project.mapper.commit()


def _has_jobs(protocol: Protocol) -> bool:
    """Return whether a protocol is one of ours that computes in jobs."""
    is_ours = type(protocol).__module__.startswith(PLUGIN)
    return is_ours and "numberOfThreads" in _own_parameters(protocol)


def _own_parameters(protocol: Protocol) -> Mapping[str, object]:
    """Return the parameters of a form that it defines itself, by name."""
    sections = protocol.getDefinition().iterSections()
    return {name: param for section in sections for name, param in section.iterParams()}


def cancel_jobs(protocol: Protocol) -> None:
    """Take the jobs of a protocol that was stopped from the queue.

    `protocol` is as the run knows it; its database tells its jobs.
    """
    if not protocol.useQueue():
        return
    folder = protocol.getProject().path
    running = getProtocolFromDb(folder, protocol.getDbPath(), protocol.getObjId())
    command = protocol.getHostConfig().getCancelCommand()
    for job in running.getJobIds():
        subprocess.run(command % {"JOB_ID": job}, shell=True, check=False)

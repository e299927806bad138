# SPDX-License-Identifier: GPL-3.0-or-later
"""Launcher of a project's protocols, one after another, with progress and resuming."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pyworkflow.project import Project
from pyworkflow.protocol import MODE_RESUME, Protocol

from deepconsensus_plugin.commands.expected_work import expected_work, part_done
from deepconsensus_plugin.commands.inputs import StaleNodes
from deepconsensus_plugin.commands.node_server import NodeServer
from deepconsensus_plugin.commands.processes import (
    find_process,
    memory_mb,
)
from deepconsensus_plugin.commands.progress_bar import RunProgress
from deepconsensus_plugin.commands.project import Protocols, RunFailedError, explained
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.protocols.shared.half_made import (
    forgetHalfMade,
    removeDatabase,
)
from deepconsensus_plugin.report.costs import read_cost, write_cost

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 0.5
_LOG_LINES = 5
_OWN_WORDS = "ERROR "
_OF_A_JOB = "returned non-zero exit status"
"""What Scipion says of a job that failed; the job has said why."""

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def run_protocols(
    project: Project, protocols: Protocols, stale: StaleNodes, server: NodeServer
) -> dict[str, StageCost]:
    """Run what is not finished or stale, in order; return what each protocol took.

    Parameters
    ----------
    project : Project
        Project of the run.
    protocols : dict
        Its protocols, in the order in which they run.
    stale : StaleNodes
        Which of them are done again.
    server : NodeServer
        Starts their processes.

    Raises
    ------
    RunFailedError
        If one fails; those after it are not started.
    """
    costs = {}
    with (
        explained(Path(project.getPath())),
        RunProgress(expected_work(protocols)) as progress,
    ):
        for key, protocol in protocols.items():
            label = protocol.getObjLabel()
            progress.begin(label)
            _catch_up(project, protocol, progress)
            if key in stale and protocol.getWorkingDir():
                removeDatabase(Path(protocol.getStepsFile()))
            is_stale = key in stale
            costs[label] = _run(project, protocol, progress, server, is_stale=is_stale)
            stale.done(key)
    return costs


def _run(
    project: Project,
    protocol: Protocol,
    progress: RunProgress,
    server: NodeServer,
    *,
    is_stale: bool,
) -> StageCost:
    """Run one protocol unless it is finished, and keep what it took."""
    label = protocol.getObjLabel()
    was_done = protocol.isFinished() and not is_stale
    if was_done:
        cost = read_cost(_folder(project, protocol), protocol)
    else:
        cost = _launch(project, protocol, progress, server)
    progress.finish(label, was_done=was_done)
    write_cost(_folder(project, protocol), cost)
    return cost


def _folder(project: Project, protocol: Protocol) -> Path:
    return Path(project.getPath(protocol.getWorkingDir()))


def _catch_up(project: Project, protocol: Protocol, progress: RunProgress) -> None:
    """Take over what a protocol did without us; wait for it if it is still at work."""
    if not protocol.getWorkingDir() or not Path(protocol.getDbPath()).is_file():
        return  # not started yet, or cut off before it was
    process = find_process(project.getPath(), protocol.getDbPath())
    if process is not None:
        logger.info(
            "%s: waiting for process %d, which an earlier run started",
            protocol.getObjLabel(),
            process.pid,
        )
        with _watched(project, protocol, progress, lambda: process):
            process.wait()
    if not forgetHalfMade(protocol):
        project._updateProtocol(protocol)


def _launch(
    project: Project, protocol: Protocol, progress: RunProgress, server: NodeServer
) -> StageCost:
    label = protocol.getObjLabel()
    logger.info("%s: started", label)
    if protocol.getStatus() not in ("saved", "new"):
        protocol.runMode.set(MODE_RESUME)
    started = time.monotonic()
    with (
        _watched(project, protocol, progress, server.running) as peak_mb,
        server.launching(),
    ):
        project.launchProtocol(protocol, wait=True, force=True)
    protocol = project.getProtocol(protocol.getObjId())
    if not protocol.isFinished():
        raise RunFailedError(_describe_failure(project, protocol))
    cost = StageCost(time.monotonic() - started, peak_mb[0])
    logger.info(
        "%s: finished in %.0f s, %.0f MB", label, cost.seconds, cost.peak_memory_mb
    )
    return cost


@contextmanager
def _watched(
    project: Project,
    protocol: Protocol,
    progress: RunProgress,
    process: Callable[[], psutil.Process | None],
) -> Iterator[list[float]]:
    """Watch a running protocol: gives its peak memory, MiB, and shows its progress."""
    peak_mb, finished = [0.0], threading.Event()

    def watch() -> None:
        while not finished.wait(_SECONDS_BETWEEN_LOOKS):
            try:
                if (seen := process()) is not None:
                    peak_mb[0] = max(peak_mb[0], memory_mb(seen))
                _show_progress(_folder(project, protocol), progress)
            except (OSError, ValueError, KeyError, psutil.Error) as error:
                logger.debug("cannot watch: %r", error)  # the next look may

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak_mb
    finally:
        finished.set()
        watcher.join()


def _show_progress(working_dir: Path, progress: RunProgress) -> None:
    """Show the progress of the newest job of a protocol."""
    reports = sorted(
        working_dir.glob("extra/*.progress.json"), key=lambda p: p.stat().st_mtime
    )
    if not reports:
        progress.draw()  # the time that is left
        return
    report = json.loads(reports[-1].read_text())
    detail = f"{report['stage']} {report['done']}/{report['total']}"
    progress.advance(part_done(report), detail)


def _describe_failure(project: Project, protocol: Protocol) -> str:
    """Describe what failed and why; a job's own words are in the log."""
    log = Path(project.getPath(protocol.getStderrLog()))
    text = _ESCAPES.sub("", log.read_text(errors="replace")) if log.exists() else ""
    own_words = [
        line.removeprefix(_OWN_WORDS)
        for line in text.splitlines()
        if line.startswith(_OWN_WORDS)
    ]
    reason = _ESCAPES.sub("", protocol.getErrorMessage() or "stopped")
    reasons = own_words[-_LOG_LINES:]
    if not reasons or _OF_A_JOB not in reason:
        reasons.insert(0, reason)
    lines = [f"{protocol.getObjLabel()}: {reasons[0]}", *reasons[1:]]
    return "\n".join([*lines, f"(the whole log: {log})"])

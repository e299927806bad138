# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of protocols: found, measured, and stopped together with the run."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path

import psutil

logger = logging.getLogger(__name__)

RECORD = "process.json"
"""File beside a protocol's run.db that tells its process, where we started it."""

_SECONDS_TO_END = 3


def find_process(project: str, database: str) -> psutil.Process | None:
    """Return the running process of a protocol, whoever started it; None without one.

    Parameters
    ----------
    project : str
        Folder of the project.
    database : str
        The protocol's run.db, as its command line names it: relative to the project.
    """
    recorded = _recorded_process(Path(project, database).with_name(RECORD))
    if recorded is not None:
        return recorded
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue  # ended meanwhile, or of another user
        folder = os.path.realpath(project)
        if database in words and folder in map(os.path.realpath, words):
            return process
    return None


def _recorded_process(record: Path) -> psutil.Process | None:
    """Return the process that a file tells, unless it has ended."""
    try:
        told = json.loads(record.read_text())
        process = psutil.Process(told["pid"])
        is_it = process.create_time() == told["born"]
        return process if is_it and process.is_running() else None
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None  # none was recorded, or its number is free again


def memory_mb(process: psutil.Process | None = None) -> float:
    """Return the resident memory of all processes started from here, MiB.

    With `process`, that of it and of all it started.
    """
    roots = [] if process is None else [process]
    total = 0
    for each in roots + (process or psutil.Process()).children(recursive=True):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def stop_children() -> None:
    """End all processes started from here, kindly first."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        _send(child, signal.SIGTERM)
    _, alive = psutil.wait_procs(children, timeout=_SECONDS_TO_END)
    for child in alive:
        logger.warning("process %d does not end, killed", child.pid)
        _send(child, signal.SIGKILL)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        logger.debug("process %d has ended", process.pid)

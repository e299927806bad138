# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks of folders that only one run may work in at a time.

A file in the folder is locked while the run goes on, and tells who is at work. The
kernel opens the lock when the process ends, however it ends, so that nothing has to be
removed after a kill. Where file systems keep locks to one computer, a run on another
one is known by the time of the file, which it renews.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from deepconsensus_plugin.core.errors import FolderInUseError
from deepconsensus_plugin.core.io.atomic import naming, remove_left_over

LOCK_FILE = ".at_work"

_SECONDS_BETWEEN_SIGNS = 20.0
_SECONDS_OF_SILENCE = 180.0
"""After this time without a sign, a run on another computer is taken for ended."""


@dataclass(frozen=True)
class Worker:
    """Process that works in a folder.

    Parameters
    ----------
    host : str
        Name of the computer.
    pid : int
        Number of the process there.
    since : str
        Local time at which it began.
    born : float
        When the process was started, s: its number may be another's by now.
    """

    host: str
    pid: int
    since: str
    born: float


@contextmanager
def only_worker_in(folder: Path) -> Iterator[None]:
    """Work in a folder as the only run; what killed ones left half written is removed.

    Raises
    ------
    FolderInUseError
        If another run is at work in it; says which.
    OSError
        If nothing can be written there.
    """
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(folder, handle)
        mine = _this_process()
        with naming(folder / LOCK_FILE):
            _write(handle, json.dumps(asdict(mine)))
        remove_left_over(folder)
        with _signs_of_life(handle):
            yield
        _write(handle, "")
    finally:
        os.close(handle)  # opens the lock


def _this_process() -> Worker:
    born = psutil.Process().create_time()
    return Worker(socket.gethostname(), os.getpid(), time.strftime("%F %T"), born)


def _take(folder: Path, handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUseError(_describe(folder, _read(handle))) from None
    except OSError:
        has_locks = False  # of this file system; the file tells
    else:
        has_locks = True
    other = _read(handle)
    if other is None:
        return
    if other.host == socket.gethostname():
        is_at_work = not has_locks and _is_running(other)
    else:
        silence = time.time() - os.fstat(handle).st_mtime
        is_at_work = silence < _SECONDS_OF_SILENCE
    if is_at_work:
        raise FolderInUseError(_describe(folder, other))


def _is_running(worker: Worker) -> bool:
    try:
        born = float(psutil.Process(worker.pid).create_time())
        return abs(born - worker.born) < 1
    except psutil.NoSuchProcess:
        return False


def _describe(folder: Path, worker: Worker | None) -> str:
    who = "another run"
    if worker is not None:
        who = f"process {worker.pid} on {worker.host}, since {worker.since},"
    return f"{folder}: {who} is at work in it. Wait for its end, then try again"


def _read(handle: int) -> Worker | None:
    """Return who wrote the file; None if it ended in order, or was cut off."""
    try:
        return Worker(**json.loads(os.pread(handle, 4096, 0)))
    except (ValueError, TypeError):
        return None


def _write(handle: int, text: str) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode(), 0)


@contextmanager
def _signs_of_life(handle: int) -> Iterator[None]:
    """Renew the time of the file meanwhile."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(_SECONDS_BETWEEN_SIGNS):
            os.utime(handle)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

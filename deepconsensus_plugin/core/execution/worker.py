# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up of a process that works for another one."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.queues import Queue
from typing import Any

from deepconsensus_plugin.core.blas import one_blas_thread

VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
"""Environment variable that says which GPUs a process sees."""


def set_up_process(devices: Queue[str] | None) -> None:
    """Make this process a worker: of one device, and no longer alive than its parent.

    Parameters
    ----------
    devices : queue of str, optional
        Each worker takes the GPU that it alone sees. None: as its parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if devices is not None:
        os.environ[VISIBLE_DEVICES] = devices.get()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@dataclass(frozen=True)
class Sent:
    """Function that is sent to workers, with the folder that its paths start from.

    Parameters
    ----------
    pickled : bytes
        The function.
    folder : str
        Working directory of who sends it.
    has_one_thread : bool
        Whether linear algebra gets one thread; not so where networks compute.
    """

    pickled: bytes
    folder: str
    has_one_thread: bool

    @classmethod
    def of(cls, function: Any, *, has_one_thread: bool) -> Sent:
        """Return a function as workers get it."""
        return cls(pickle.dumps(function), os.getcwd(), has_one_thread)


def call(sent: Sent, item: Any) -> Any:
    """Return what a function that was sent gives for an item."""
    limit = one_blas_thread() if sent.has_one_thread else nullcontext()
    with _folders.working_in(sent.folder), limit:
        return _unpickle(sent.pickled)(item)


@functools.lru_cache(maxsize=2)
def _unpickle(function: bytes) -> Any:
    """Return a function that was pickled once for many items."""
    return pickle.loads(function)  # by the job that this process works for


class _Folders:
    """Working directory of a process that works for several projects in its threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n_inside = 0

    @contextmanager
    def working_in(self, folder: str) -> Iterator[None]:
        """Work in a folder, beside others there; wait for those in another one."""
        with self._changed:
            self._changed.wait_for(lambda: not self._n_inside or _is_here(folder))
            if not _is_here(folder):
                os.chdir(folder)
            self._n_inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._n_inside -= 1
                self._changed.notify_all()


def _is_here(folder: str) -> bool:
    try:
        return os.getcwd() == folder
    except FileNotFoundError:  # it was deleted
        return False


_folders = _Folders()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Linear algebra by one thread, wherever work is already spread over threads.

NumPy's library of linear algebra starts as many threads as there are cores, for each
thread that calls it. Threads times threads hinder each other, and products of several
threads differ in their last digits from those of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np  # loads the library  # noqa: F401
import threadpoolctl


class _OneThread:
    """Limit of the whole process, kept as long as anyone needs it."""

    def __init__(self) -> None:
        self._lock, self._n_users = Lock(), 0
        self._first: Any = None

    def __enter__(self) -> None:
        with self._lock:
            limits = _limits()
            self._first = self._first or limits
            self._n_users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_users -= 1
            if not self._n_users:
                _take_control()
                self._first.restore_original_limits()
                _take_control()
                self._first = None


def _limits() -> Any:
    """Set the limit, in this thread where it is a thread's own; what can undo it."""
    _take_control()
    return _libraries().limit(limits=1)


@lru_cache(maxsize=1)
def _libraries() -> Any:
    """Return what limits the threads; to look for the libraries takes milliseconds."""
    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def _take_control() -> None:
    """Let this thread change the limit of the process, whoever changed it last.

    Of threads that change it, threadpoolctl 3.8 heeds only the first, which here may be
    gone before the others.
    """
    library: Any = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


_ONE_THREAD = _OneThread()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let linear algebra use one thread in this process, until all who ask are done.

    Threads may ask at the same time, and a thread again while it holds it.
    """
    with _ONE_THREAD:
        yield

# SPDX-License-Identifier: GPL-3.0-or-later
"""Executor of processes of this computer, perhaps with a GPU each."""

from __future__ import annotations

import logging
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic

from deepconsensus_plugin.core.execution.executor import (
    Item,
    LostWorkersError,
    Result,
    check_workers,
)
from deepconsensus_plugin.core.execution.worker import Sent, call, set_up_process

logger = logging.getLogger(__name__)

_MOST_LOSSES = 3
"""Losses of workers in a row, without a result between them, that end the work."""


class Processes:
    """Processes that are started for one kind of work, and end with it.

    Parameters
    ----------
    devices : sequence of str
        Numbers of GPUs: one process for each, which sees no other. Without any, as
        many processes as workers are asked for.
    """

    def __init__(self, devices: Sequence[str] = ()) -> None:
        self.devices = tuple(devices)

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        workers: int,
    ) -> Iterator[Result]:
        """Yield ``function(item)`` in the order of `items`, computed in processes.

        An item whose process was killed is computed again by another one.
        """
        check_workers(workers)
        with _Pool[Item, Result](function, self.devices, workers) as pool:
            for item in items:
                pool.add(item)
                if pool.is_full:
                    yield pool.take()
            while pool.waiting:
                yield pool.take()


class _Pool(Generic[Item, Result]):
    """Pool of processes that is made anew when one of them is lost."""

    def __init__(
        self, function: Callable[[Item], Result], devices: Sequence[str], workers: int
    ) -> None:
        self._sent = Sent.of(function, has_one_thread=not devices)
        self._devices, self._n = devices, len(devices) or workers
        self.waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._n_lost = 0
        self._pool = self._start()

    def __enter__(self) -> _Pool[Item, Result]:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def is_full(self) -> bool:
        return len(self.waiting) > self._n

    def add(self, item: Item) -> None:
        """Give an item to the pool."""
        self.waiting.append((item, self._submit(item)))

    def take(self) -> Result:
        """Return the oldest result, when it is there."""
        while True:
            _, future = self.waiting[0]
            try:
                result = future.result()
            except BrokenProcessPool:
                self._begin_again()
                continue
            self.waiting.popleft()
            self._n_lost = 0
            return result

    def _start(self) -> ProcessPoolExecutor:
        # A fork would inherit the threads' locks, and TensorFlow, which cannot be.
        context = multiprocessing.get_context("spawn")
        devices: Any = None
        if self._devices:
            devices = context.Queue()
            for device in self._devices:
                devices.put(device)
        return ProcessPoolExecutor(
            self._n, context, initializer=set_up_process, initargs=(devices,)
        )

    def _submit(self, item: Item) -> Future[Result]:
        try:
            return self._pool.submit(call, self._sent, item)
        except BrokenProcessPool as error:  # told where its turn comes
            future: Future[Result] = Future()
            future.set_exception(error)
            return future

    def _begin_again(self) -> None:
        """Give all that waits to new processes; what was computed is not kept."""
        self._n_lost += 1
        if self._n_lost > _MOST_LOSSES:
            raise LostWorkersError(
                f"worker processes were lost {self._n_lost} times without a result "
                "between: were they killed because memory is short? Use fewer"
            )
        logger.warning("A worker process was lost; its work is done again")
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._start()
        kept = [
            (item, future)
            if future.done() and not future.cancelled() and future.exception() is None
            else (item, self._submit(item))
            for item, future in self.waiting
        ]
        self.waiting = deque(kept)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Executors of this process: its threads, or the one that asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from deepconsensus_plugin.core.execution.executor import Item, Result, check_workers


def map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Iterator[Result]:
    """Yield ``function(item)`` in the order of `items`, computed ahead in threads.

    At most ``workers + 1`` results wait at any time, so that memory does not grow
    with the number of items. An exception of `function` is raised in its turn.
    """
    check_workers(workers)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Here:
    """Thread that asks: it works when a result is wanted."""

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        workers: int,
    ) -> Iterator[Result]:
        """Yield ``function(item)`` in the order of `items`."""
        check_workers(workers)
        return map(function, items)


class Threads:
    """Threads of this process, which share its memory."""

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        workers: int,
    ) -> Iterator[Result]:
        """Yield ``function(item)`` in the order of `items` (`map_ahead`)."""
        return map_ahead(function, items, workers=workers)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Executor: does the same work for many items, wherever its workers are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Place where work is done item by item; results do not depend on the place.

    What is sent elsewhere is pickled: a function of a module, `functools.partial` of
    one, or a method of a small dataclass, and items without open files.
    """

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        workers: int,
    ) -> Iterator[Result]:
        """Yield ``function(item)`` in the order of `items`, computed a little ahead.

        Parameters
        ----------
        function : callable
            Called once an item; again, where a worker was lost.
        items : iterable
            Taken as workers become free, so that neither items nor results pile up.
        workers : int
            How many work at once in this process, >= 1. An executor whose workers are
            elsewhere has as many as there are.

        Raises
        ------
        ValueError
            If there are no workers. An exception of `function` is raised in its turn.
        """


class LostWorkersError(RuntimeError):
    """Workers were lost again and again at the same work."""


def check_workers(workers: int) -> None:
    """Refuse to work without workers.

    Raises
    ------
    ValueError
        If there are none.
    """
    if workers < 1:
        raise ValueError(f"workers must be >= 1, received {workers}")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Background thread of a window, which reads files so that the window never waits."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

_POLL_MS = 15
_END = object()

Part = TypeVar("Part")


def _raise(error: BaseException) -> None:
    raise error


@dataclass(eq=False)
class _Work:
    parts: Iterator[Any]
    receive: Callable[[Any], None]
    fail: Callable[[BaseException], None]
    next_part: Future[Any]


class Background:
    """Background thread that makes things part by part; new requests replace old ones.

    Parameters
    ----------
    widget : tkinter.Misc
        Asked, by its `after`, to look for finished parts, as long as there is work.
    report_error : callable, optional
        Called with the exception of a request that failed and has no `fail` of its
        own; it is raised if None is given.
    """

    def __init__(
        self,
        widget: tkinter.Misc,
        report_error: Callable[[BaseException], None] = _raise,
    ):
        self._widget, self._report_error = widget, report_error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="viewer")
        self._work: dict[str, _Work] = {}
        self._next_poll: Any = None

    def ask(
        self,
        topic: str,
        parts: Iterator[Part],
        receive: Callable[[Part], None],
        fail: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Request `parts`, each of which is received in the window's own thread.

        Parameters
        ----------
        topic : str
            The rest of an earlier request with the same topic is dropped.
        parts : iterator
            Advanced in the other thread only.
        receive : callable
            Called with each part.
        fail : callable, optional
            Called instead of `report_error` if the request fails.
        """
        fail = fail or self._report_error
        self._work[topic] = _Work(parts, receive, fail, self._start(parts))
        if self._next_poll is None:
            self._next_poll = self._widget.after(_POLL_MS, self._poll)

    @property
    def is_busy(self) -> bool:
        """Whether anything is still to be received."""
        return bool(self._work)

    def close(self) -> None:
        """Drop all requests; the part that is being made is the last one."""
        self._work.clear()
        if self._next_poll is not None:
            self._widget.after_cancel(self._next_poll)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _start(self, parts: Iterator[Any]) -> Future[Any]:
        return self._thread.submit(next, parts, _END)

    def _poll(self) -> None:
        for topic, work in list(self._work.items()):
            if not work.next_part.done() or self._work.get(topic) is not work:
                continue
            if (error := work.next_part.exception()) is not None:
                del self._work[topic]
                work.fail(error)
            elif (part := work.next_part.result()) is _END:
                del self._work[topic]
            else:
                work.next_part = self._start(work.parts)
                work.receive(part)
        again = bool(self._work)
        self._next_poll = self._widget.after(_POLL_MS, self._poll) if again else None

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


@dataclass(eq=False)
class _Work:
    parts: Iterator[Any]
    receive: Callable[[Any], None]
    next_part: Future[Any]


class Background:
    """Background thread that makes things part by part; new requests replace old ones.

    Parameters
    ----------
    widget : tkinter.Misc
        Asked, by its `after`, to look for finished parts, as long as there is work.
    report_error : callable
        Called with the exception of a request that failed.
    """

    def __init__(
        self, widget: tkinter.Misc, report_error: Callable[[BaseException], None]
    ):
        self._widget, self._report_error = widget, report_error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="viewer")
        self._work: dict[str, _Work] = {}
        self._next_poll: Any = None

    def ask(
        self, topic: str, parts: Iterator[Part], receive: Callable[[Part], None]
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
        """
        self._work[topic] = _Work(parts, receive, self._start(parts))
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
                self._report_error(error)
            elif (part := work.next_part.result()) is _END:
                del self._work[topic]
            else:
                work.next_part = self._start(work.parts)
                work.receive(part)
        again = bool(self._work)
        self._next_poll = self._widget.after(_POLL_MS, self._poll) if again else None

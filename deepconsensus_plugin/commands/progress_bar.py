# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of a whole run, one line at the bottom of a terminal.

In a log file there is no bar: what is logged says where the run is.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

_BAR_WIDTH = 20
_LEAST_SHARE = 0.05
"""Part of the work after which the time that is left can be guessed."""

_CLEAR = "\r\x1b[K"


class RunProgress:
    """Bar of a run, weighed by the work that its stages are expected to take.

    Parameters
    ----------
    work : mapping of str to float
        Expected work of each stage, in order, in any unit; > 0.
    stream : text file, optional
        Where it is drawn, if that is a terminal; standard error by default.
    """

    def __init__(self, work: Mapping[str, float], stream: TextIO | None = None) -> None:
        self._work = dict(work)
        self._stream = sys.stderr if stream is None else stream
        self._is_shown = self._stream.isatty()
        self._finished: list[str] = []
        self._stage, self._part, self._detail = "", 0.0, ""
        self._skipped = 0.0
        self._started = time.monotonic()
        self._lock = threading.RLock()
        self._handlers: list[logging.Handler] = []

    # -------------------------- as a context --------------------------
    def __enter__(self) -> RunProgress:
        """Let what is logged appear above the bar."""
        if self._is_shown:
            root = logging.getLogger()
            self._handlers = root.handlers[:]
            root.handlers = [
                _AboveTheBar(self, each) if _writes_to_terminal(each) else each
                for each in self._handlers
            ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._is_shown:
            logging.getLogger().handlers = self._handlers
            self.clear()

    # -------------------------- what happens --------------------------
    def begin(self, stage: str) -> None:
        """Note that a stage begins."""
        with self._lock:
            self._stage, self._part, self._detail = stage, 0.0, ""
        self.draw()

    def advance(self, part: float, detail: str = "") -> None:
        """Note which part of the stage is done, 0 to 1, and what is being done."""
        with self._lock:
            self._part = max(self._part, min(part, 1.0))
            self._detail = detail
        self.draw()

    def finish(self, stage: str, *, was_done: bool = False) -> None:
        """Note that a stage is finished, perhaps by an earlier run."""
        with self._lock:
            self._finished.append(stage)
            self._stage, self._part, self._detail = "", 0.0, ""
            if was_done:
                self._skipped += self._work[stage]
        self.draw()

    # -------------------------- the line --------------------------
    @property
    def share(self) -> float:
        """Part of the work that is done, 0 to 1."""
        done = sum(self._work[stage] for stage in self._finished)
        done += self._part * self._work.get(self._stage, 0.0)
        return done / sum(self._work.values())

    def line(self, columns: int) -> str:
        """Return the bar for a terminal of this width, shortened to fit."""
        filled = int(self.share * _BAR_WIDTH)
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        number = min(len(self._finished) + 1, len(self._work))
        text = f"{int(100 * self.share):3d} % [{bar}] {number}/{len(self._work)}"
        for part in (self._stage, self._detail, self._time_left()):
            text += f" {part}" if part else ""
        room = max(columns - 1, 1)  # the last column would break the line
        return text if len(text) <= room else f"{text[: room - 1]}…"

    def _time_left(self) -> str:
        total = sum(self._work.values())
        skipped = self._skipped / total
        done = self.share - skipped
        if done < _LEAST_SHARE:
            return ""
        seconds = (time.monotonic() - self._started) * (1 - self.share) / done
        return f"({describe_seconds(seconds)} left)"

    def draw(self) -> None:
        """Draw the line anew."""
        if not self._is_shown:
            return
        with self._lock:
            self._stream.write(_CLEAR + self.line(_columns(self._stream)))
            self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            with self._lock:
                self._stream.write(_CLEAR)
                self._stream.flush()


class _AboveTheBar(logging.Handler):
    """Handler that puts what another one writes above the bar."""

    def __init__(self, bar: RunProgress, inner: logging.Handler) -> None:
        super().__init__(inner.level)
        self._bar, self._inner = bar, inner

    def emit(self, record: logging.LogRecord) -> None:
        with self._bar._lock:
            self._bar.clear()
            self._inner.handle(record)
            self._bar.draw()


def _writes_to_terminal(handler: logging.Handler) -> bool:
    return (
        isinstance(handler, logging.StreamHandler)
        and not isinstance(handler, logging.FileHandler)
        and handler.stream.isatty()
    )


def _columns(stream: TextIO) -> int:
    """Return the width of a terminal; 80 where it does not tell."""
    given = os.environ.get("COLUMNS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def describe_seconds(seconds: float) -> str:
    """Return a time as a user would say it: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"

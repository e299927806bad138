# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of Tk that open without being waited for."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from unittest import mock

_SECONDS = 180.0
"""Longest time that a window may take to be ready."""


class SettlingFrame(Protocol):
    """Frame whose content is read in the background."""

    is_settled: bool
    """Whether all that was asked for is there."""

    def update(self) -> None:
        """Handle what Tk has waiting."""


@contextmanager
def unattended() -> Iterator[list[BaseException]]:
    """Make what waits for the user go on at once; yield what callbacks raise.

    Scipion shows a window and enters Tk's main loop, or waits for the window to be
    closed. Here the window stays open and the call returns.
    """
    raised: list[BaseException] = []

    def draw(widget: tk.Misc, *_) -> None:
        widget.update()

    def note(_, kind: type, error: BaseException, traceback: object) -> None:
        raised.append(error)

    with (
        mock.patch.object(tk.Misc, "mainloop", draw),
        mock.patch.object(tk.Misc, "wait_window", draw),
        mock.patch.object(tk.Tk, "report_callback_exception", note),
    ):
        yield raised


@contextmanager
def all_opened(
    root: tk.Misc, action: Callable[[], object]
) -> Iterator[list[tk.Toplevel]]:
    """Yield the windows that `action` opens, and close them afterwards."""
    before = set(_windows(root))
    action()
    root.update()
    new = [window for window in _windows(root) if window not in before]
    try:
        yield new
    finally:
        for window in new:
            window.destroy()
        root.update()


@contextmanager
def opened(root: tk.Misc, action: Callable[[], object]) -> Iterator[tk.Toplevel]:
    """Yield the one window that `action` opens, and close it afterwards.

    Raises
    ------
    RuntimeError
        If no window opens, or more than one.
    """
    with all_opened(root, action) as windows:
        if len(windows) != 1:
            titles = [window.title() for window in windows]
            raise RuntimeError(f"expected one new window, received {titles}")
        yield windows[0]


def descendants(widget: tk.Misc) -> Iterator[tk.Misc]:
    """Yield all widgets inside `widget`, without those in windows of their own."""
    for child in widget.winfo_children():
        if not isinstance(child, tk.Toplevel):
            yield child
            yield from descendants(child)


def _windows(widget: tk.Misc) -> Iterator[tk.Toplevel]:
    """Yield the windows below `widget` that show."""
    for child in widget.winfo_children():
        if isinstance(child, tk.Toplevel) and child.winfo_viewable():
            yield child
        yield from _windows(child)


def settle(frame: SettlingFrame) -> None:
    """Wait until all that was asked for is there."""
    deadline = time.monotonic() + _SECONDS
    frame.update()
    while not frame.is_settled:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not ready after {_SECONDS:.0f} s")
        frame.update()
        time.sleep(0.01)

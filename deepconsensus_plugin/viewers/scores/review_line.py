# SPDX-License-Identifier: GPL-3.0-or-later
"""Line of buttons and keys of a review, above the gallery of a window."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping

from deepconsensus_plugin.core.marks.mark import Verdict
from deepconsensus_plugin.viewers.pane import Pane
from deepconsensus_plugin.viewers.scores.review import ReviewList

KEYS = {"g": Verdict.GOOD, "b": Verdict.BAD, "n": Verdict.NONE}
"""Keys that mark the candidate in focus."""

HELP = (
    "Keys: g marks good, b bad, n takes the mark away, u takes back the last one; "
    "arrows and page keys move. The right mouse button marks, too."
)

_STEPS = {"Left": (0, -1), "Right": (0, 1), "Up": (-1, 0), "Down": (1, 0)}
"""Rows and columns that the arrows move the focus by."""


class ReviewLine:
    """List to look at, and buttons to mark with; the figure takes keys.

    Parameters
    ----------
    pane : Pane
        Pane of the gallery.
    choose : callable
        Called with a list that is chosen.
    mark : callable
        Called with the verdict on the candidate in focus.
    undo, step, turn : callable
        Called to take back a mark, with rows and columns to move the focus by, and
        with pages to turn.
    """

    def __init__(
        self,
        pane: Pane,
        *,
        choose: Callable[[ReviewList], None],
        mark: Callable[[Verdict], None],
        undo: Callable[[], None],
        step: Callable[[int, int], None],
        turn: Callable[[int], None],
    ):
        line = pane.add_line_above()
        pane.add_label("Look at", line=line)
        names = [each.value for each in ReviewList]
        self._list = pane.add_choices(
            names, names[0], lambda: choose(self.chosen), line=line
        )
        for text, verdict in (("✔ g", Verdict.GOOD), ("✘ b", Verdict.BAD)):
            _button(line, text, lambda v=verdict: mark(v))
        _button(line, "↶ u", undo)
        self._widget = pane.canvas.get_tk_widget()
        self._widget.configure(takefocus=True, highlightthickness=1)
        bound: Mapping[str, Callable[[], None]] = {
            **{key: lambda v=verdict: mark(v) for key, verdict in KEYS.items()},
            "u": undo,
            **{key: lambda s=by: step(*s) for key, by in _STEPS.items()},
            "Prior": lambda: turn(-1),
            "Next": lambda: turn(1),
        }
        for key, command in bound.items():
            self._widget.bind(f"<Key-{key}>", lambda _, run=command: run())

    @property
    def chosen(self) -> ReviewList:
        """The list that is looked at."""
        return ReviewList(self._list.get())

    def choose(self, which: ReviewList) -> None:
        """Show a list as chosen."""
        self._list.set(which.value)

    def take_focus(self) -> None:
        """Let the figure take the keys."""
        self._widget.focus_set()


def _button(line: tk.Frame, text: str, command: Callable[[], None]) -> None:
    button = tk.Button(line, text=text, command=command)
    button.pack(side=tk.LEFT, padx=2)

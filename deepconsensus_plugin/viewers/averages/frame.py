# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of averages in Tk: marks above, averages and a micrograph below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from functools import partial

from deepconsensus_plugin.core.averages.marks import Mark, Marks, write_marks
from deepconsensus_plugin.viewers.averages.grid import AveragesGrid
from deepconsensus_plugin.viewers.averages.panes import GridPane, MembersPane
from deepconsensus_plugin.viewers.averages.shown import AveragesShown
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.pane import BACKGROUND

_HEIGHT = 560
_WIDTHS = 780, 540
_PAD = 6
_BUTTONS = {"Good (g)": Mark.GOOD, "Bad (b)": Mark.BAD, "No mark (u)": None}
_KEYS = {"g": Mark.GOOD, "b": Mark.BAD, "u": None}
_STEPS = {"<Left>": -1, "<Right>": 1}
_HELP = "Click an average to see its members; mark averages with g, b and u."


class AveragesFrame(tk.Frame):
    """Averages that can be marked, and the members of the chosen one.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    read : callable
        Returns what is shown; called in another thread.
    create : callable
        Makes coordinates of the marks; returns a message for the user.
    """

    def __init__(
        self,
        parent: tk.Misc,
        read: Callable[[], AveragesShown],
        create: Callable[[Marks], str],
    ):
        super().__init__(parent, bg=BACKGROUND)
        self._create = create
        self.shown: AveragesShown | None = None
        self.background = Background(self, self._tell_error)
        self._add_bar()
        self._body = tk.PanedWindow(self, sashwidth=6, bg="#DDDDDD", bd=0)
        self._body.pack(fill=tk.BOTH, expand=True)
        self.bind("<Destroy>", self._close)
        self.tell("Reading the averages …")

        def once() -> Iterator[AveragesShown]:
            yield read()

        self.background.ask("averages", once(), self._show)

    @property
    def is_settled(self) -> bool:
        """Whether all that was asked for is shown."""
        return not self.background.is_busy

    # -------------------------- what is there --------------------------
    def _add_bar(self) -> None:
        bar = tk.Frame(self, bg=BACKGROUND)
        bar.pack(fill=tk.X, pady=_PAD)
        tk.Label(bar, text="Mark as", bg=BACKGROUND).pack(side=tk.LEFT, padx=_PAD)
        for text, mark in _BUTTONS.items():
            button = tk.Button(bar, text=text, command=partial(self.mark, mark))
            button.pack(side=tk.LEFT, padx=_PAD)
        self.button = tk.Button(bar, text="Create coordinates", command=self.create)
        self.button.pack(side=tk.LEFT, padx=_PAD)
        self._status = tk.Label(bar, bg=BACKGROUND, anchor=tk.W)
        self._status.pack(side=tk.LEFT, padx=2 * _PAD)

    def _show(self, shown: AveragesShown) -> None:
        """Fill the window, once the averages are read."""
        self.shown = shown
        sizes = [{"width": width, "height": _HEIGHT} for width in _WIDTHS]
        self.pane = GridPane(self._body, shown, self.choose, **sizes[0])
        self.members = MembersPane(self._body, shown, self.background, **sizes[1])
        for pane in (self.pane, self.members):
            self._body.add(pane, stretch="always")
        self._body.update_idletasks()
        self._body.sash_place(
            0, round(self._body.winfo_width() * _WIDTHS[0] / sum(_WIDTHS)), 0
        )
        widget = self.pane.canvas.get_tk_widget()
        widget.bind("<Enter>", lambda _: widget.focus_set(), add=True)
        for key, mark in _KEYS.items():
            widget.bind(f"<Key-{key}>", lambda _, m=mark: self.mark(m), add=True)
        for key, by in _STEPS.items():
            widget.bind(key, lambda _, n=by: self.choose(self.grid_.neighbour(n)))
        self.choose(self.grid_.chosen)
        self._show_counts()
        self.tell(_HELP)

    @property
    def grid_(self) -> AveragesGrid:
        """The drawing of the averages."""
        return self.pane.grid_

    def tell(self, message: str) -> None:
        """Show a line of text beside the buttons."""
        self._status.configure(text=message)

    def _tell_error(self, error: BaseException) -> None:
        self.tell(f"{type(error).__name__}: {error}")

    def _close(self, event: tk.Event) -> None:
        if event.widget is self:
            self.background.close()

    # -------------------------- what is done --------------------------
    def choose(self, average: int) -> None:
        """Look at an average: its members on their micrographs."""
        if self.shown is None:
            return
        self.grid_.choose(average)
        self.members.show_average(average)
        self.tell(self.shown.describe(average, self.grid_.marks))

    def mark(self, mark: Mark | None) -> None:
        """Mark the chosen average, and keep the marks."""
        if self.shown is None:
            return
        marks = self.grid_.marks.set(self.grid_.chosen, mark)
        write_marks(self.shown.path, marks)
        self.grid_.set_marks(marks)
        self._show_counts()
        self.tell(self.shown.describe(self.grid_.chosen, marks))

    def create(self) -> None:
        """Make coordinates of the marks."""
        if self.shown is None:
            return
        self.button.configure(state=tk.DISABLED)
        self.update_idletasks()
        try:
            self.tell(self._create(self.grid_.marks))
        finally:
            self._show_counts()

    def _show_counts(self) -> None:
        marks = self.grid_.marks
        good, bad = (self.shown.n_marked(marks, mark) for mark in Mark)
        self.button.configure(
            text=f"Create coordinates ({good:,} good, {bad:,} bad)",
            state=tk.NORMAL if marks.good or marks.bad else tk.DISABLED,
        )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Pane of one plot, or of a text, which is read in the background."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from tkinter import filedialog
from typing import Any

from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.pane import BACKGROUND, Pane
from deepconsensus_plugin.viewers.tabs.tab import Plot, PlotTab

_WIDTH, _HEIGHT = 900, 480
_PAD = 6
_SAVE_WIDTH = 160
"""Pixels that the text below the plot leaves to the button."""
_AGAIN_MS = 2000
"""A plot that grows is read again after this time."""
_FILES = [("PNG", "*.png"), ("PDF", "*.pdf"), ("SVG", "*.svg")]


class PlotPane(Pane):
    """A plot with a line below that says what it shows.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    background : Background
        Reads it.
    tab : PlotTab
        What is read.
    """

    def __init__(self, parent: tk.Misc, background: Background, tab: PlotTab):
        super().__init__(parent, width=_WIDTH, height=_HEIGHT)
        self._background, self._tab = background, tab
        self._read = tab.read
        self._again: str | None = None
        self._content: Any = None
        self._label = self.add_label()
        self._label.configure(justify=tk.LEFT)
        self._save = tk.Button(self.buttons, text="Save picture …", command=self.save)
        self._save.pack(side=tk.RIGHT, padx=_PAD)
        style = {"bd": 0, "highlightthickness": 0, "bg": BACKGROUND, "wrap": tk.WORD}
        style |= {"font": self._label.cget("font"), "spacing1": _PAD}
        self._text = tk.Text(self, padx=3 * _PAD, pady=2 * _PAD, **style)
        self.bind("<Configure>", self._wrap)
        self.bind("<Destroy>", self._close)

    def open(self) -> None:
        """Read what is shown."""
        self.show(self._tab.read)

    def show(self, read: Callable[[], Plot | str]) -> None:
        """Show something else; as `PlotTab.read`."""
        self._read = read
        self._label.configure(text="Reading …")
        self._ask()

    def save(self) -> None:
        """Save the plot under a name that the user chooses."""
        path = filedialog.asksaveasfilename(
            parent=self, defaultextension=".png", filetypes=_FILES
        )
        if path:
            self.figure.savefig(path)

    def _ask(self) -> None:
        self._again = None
        self._background.ask(str(self), _once(self._read), self._receive, self._fail)

    def _receive(self, found: Plot | str) -> None:
        self._label.configure(text=self._tab.help)
        if isinstance(found, str):
            self._show_text(found)
            return
        if found.content is None or found.content != self._content:
            self._content = found.content
            self._show_plot(found)
        if not found.is_final:
            self._again = self.after(_AGAIN_MS, self._ask)

    def _show_plot(self, plot: Plot) -> None:
        self._text.pack_forget()
        self.canvas.get_tk_widget().pack(fill=tk.BOTH, expand=True)
        self._save.configure(state=tk.NORMAL)
        self.figure.clear()
        plot.draw(self.figure)
        self.canvas.draw_idle()

    def _show_text(self, text: str) -> None:
        self.canvas.get_tk_widget().pack_forget()
        self._text.configure(state=tk.NORMAL)
        self._text.replace("1.0", tk.END, text)
        self._text.configure(state=tk.DISABLED)
        self._text.pack(fill=tk.BOTH, expand=True)
        self._save.configure(state=tk.DISABLED)

    def _fail(self, error: BaseException) -> None:
        self._label.configure(text=f"{type(error).__name__}: {error}")

    def _wrap(self, event: tk.Event) -> None:
        if event.widget is self:
            self._label.configure(wraplength=max(1, event.width - _SAVE_WIDTH))

    def _close(self, event: tk.Event) -> None:
        if event.widget is self and self._again is not None:
            self.after_cancel(self._again)


def _once(read: Callable[[], Plot | str]) -> Iterator[Plot | str]:
    yield read()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Pane of a window: a figure with buttons below it, in Tk."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from matplotlib.backends.backend_tkagg import FigureCanvasTkAgg
from matplotlib.figure import Figure

BACKGROUND = "white"
LOW_PASSES = {"none": 0.0, **{f"{p} Å": float(p) for p in (10, 20, 30, 40, 60)}}
"""Low-pass filters by their names on the button, Å."""

_DPI = 100
_PAD = 4


class Pane(tk.Frame):
    """A figure that takes all the room, above a line of buttons."""

    def __init__(self, parent: tk.Misc, *, width: int, height: int):
        super().__init__(parent, bg=BACKGROUND)
        self.figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        self.canvas = FigureCanvasTkAgg(self.figure, self)
        self.canvas.get_tk_widget().configure(highlightthickness=0)
        self.buttons = tk.Frame(self, bg=BACKGROUND)
        self.buttons.pack(side=tk.BOTTOM, fill=tk.X, pady=_PAD)
        self.canvas.get_tk_widget().pack(fill=tk.BOTH, expand=True)

    def add_button(self, text: str, command: Callable[[], object]) -> tk.Button:
        """Add a button on the left of the line."""
        button = tk.Button(self.buttons, text=text, command=command)
        button.pack(side=tk.LEFT, padx=_PAD)
        return button

    def add_line_above(self) -> tk.Frame:
        """Add an empty line above the figure."""
        line = tk.Frame(self, bg=BACKGROUND)
        line.pack(side=tk.TOP, fill=tk.X, before=self.canvas.get_tk_widget())
        return line

    def add_label(self, text: str = "", *, line: tk.Frame | None = None) -> tk.Label:
        """Add a text on the left of the line of buttons, or of another line."""
        label = tk.Label(line or self.buttons, text=text, bg=BACKGROUND)
        label.pack(side=tk.LEFT, padx=_PAD)
        return label

    def add_choices(
        self,
        choices: list[str],
        chosen: str,
        command: Callable[[], object],
        *,
        line: tk.Frame | None = None,
    ) -> ttk.Combobox:
        """Add a list of choices on the left of the line of buttons, or of another."""
        width, parent = max(map(len, choices)) + 2, line or self.buttons
        box = ttk.Combobox(parent, values=choices, state="readonly", width=width)
        box.set(chosen)
        box.bind("<<ComboboxSelected>>", lambda _: command())
        box.pack(side=tk.LEFT, padx=_PAD)
        return box

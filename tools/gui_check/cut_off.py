# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection of text in a window that is not shown in full.

What Scipion gives a fixed width is left to it: the name and the comment of a run, and
the columns of lists, which users widen.
"""

from __future__ import annotations

import os
import tkinter as tk
from collections.abc import Iterator
from tkinter import font as tk_font
from tkinter import ttk

from matplotlib.figure import Figure

_TEXT_CLASSES = {
    *("Button", "Checkbutton", "Entry", "Label", "Radiobutton"),
    *("TButton", "TCheckbutton", "TCombobox", "TEntry", "TLabel", "TRadiobutton"),
}
"""Tk's names of the widgets that ask for the room which their text takes."""

_TOLERANCE_PX = 1
_WHOLE = 0.999
"""Share of a text that shows if all of it does."""

_ARROW_PX = 20
"""What the arrow of a list of choices takes from its width."""

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom; pixels of the screen."""


def find_cut_off(window: tk.Misc) -> list[str]:
    """Return one sentence for each text in `window` that does not show whole."""
    found = []
    for widget in _visible_widgets(window):
        if widget.winfo_class() in _TEXT_CLASSES:
            found += _describe_lack_of_room(widget)
        if isinstance(widget, tk.Entry):  # as is a ttk.Combobox
            found += _describe_long_value(widget)
        if isinstance(widget, ttk.Combobox):
            found += _describe_long_choices(widget)
        elif isinstance(widget, tk.Text):
            found += _describe_scrolled_text(widget)
    return found


def find_cut_off_in_figure(figure: Figure) -> list[str]:
    """Return a sentence if what a figure shows reaches over its border."""
    drawn = figure.get_tightbbox().padded(-_TOLERANCE_PX / figure.dpi)
    width, height = figure.get_size_inches()
    if drawn.x0 < 0 or drawn.y0 < 0 or drawn.x1 > width or drawn.y1 > height:
        return [
            f"the figure is {width:g} x {height:g} inches, its content reaches from "
            f"({drawn.x0:.2f}, {drawn.y0:.2f}) to ({drawn.x1:.2f}, {drawn.y1:.2f})"
        ]
    return []


def _visible_widgets(window: tk.Misc) -> Iterator[tk.Misc]:
    """Yield what is on the screen, without windows of its own."""
    for widget in window.winfo_children():
        if isinstance(widget, tk.Toplevel) or not widget.winfo_viewable():
            continue
        yield widget
        yield from _visible_widgets(widget)


def _describe_lack_of_room(widget: tk.Misc) -> list[str]:
    left, top, right, bottom = _visible_part(widget)
    wanted = widget.winfo_reqwidth(), widget.winfo_reqheight()
    received = max(0, right - left), max(0, bottom - top)
    if all(w <= r + _TOLERANCE_PX for w, r in zip(wanted, received, strict=True)):
        return []
    return [
        f"{_name(widget)} wants {wanted[0]} x {wanted[1]} px, "
        f"{received[0]} x {received[1]} show"
    ]


def _visible_part(widget: tk.Misc) -> Rectangle:
    """Return what all widgets around it, and the screen, leave of a widget."""
    left, top, right, bottom = _rectangle(widget)
    around = widget
    while not isinstance(around, tk.Toplevel):
        around = around.nametowidget(around.winfo_parent())
        others = _rectangle(around)
        left, top = max(left, others[0]), max(top, others[1])
        right, bottom = min(right, others[2]), min(bottom, others[3])
    right = min(right, widget.winfo_screenwidth())
    return left, top, right, min(bottom, widget.winfo_screenheight())


def _rectangle(widget: tk.Misc) -> Rectangle:
    left, top = widget.winfo_rootx(), widget.winfo_rooty()
    return left, top, left + widget.winfo_width(), top + widget.winfo_height()


def _describe_long_value(entry: tk.Entry) -> list[str]:
    """Return a sentence if an entry has to be scrolled to be read; paths may be."""
    first, last = entry.xview()
    if last - first > _WHOLE or os.sep in entry.get():
        return []
    return [f"{_name(entry)} shows {last - first:.0%} of its value '{entry.get()}'"]


def _describe_long_choices(combobox: ttk.Combobox) -> list[str]:
    measure = tk_font.Font(combobox, font=combobox["font"]).measure
    room = combobox.winfo_width() - _ARROW_PX
    return [
        f"{_name(combobox)} has {room} px for '{choice}', which takes {width}"
        for choice in combobox["values"]
        if (width := measure(choice)) > room
    ]


def _describe_scrolled_text(text: tk.Text) -> list[str]:
    """Return a sentence if a text has to be scrolled to be read."""
    first, last = text.yview()
    if last - first > _WHOLE:
        return []
    return [f"{last - first:.0%} of the text shows: '{text.get('1.0', 'end').strip()}'"]


def _name(widget: tk.Misc) -> str:
    """Return what a reader of the report finds the widget by."""
    text = ""
    if "text" in widget.keys():
        text = str(widget.cget("text"))
    if not text and "textvariable" in widget.keys():
        variable = str(widget.cget("textvariable"))
        text = str(widget.getvar(variable)) if variable else ""
    return f"{widget.winfo_class()} '{text}'" if text else widget.winfo_class()

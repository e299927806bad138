# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection of tabs and groups of a form that show a frame with nothing in it."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from tools.gui_check.windows import descendants


def find_blank(tab: tk.Misc) -> list[str]:
    """Return a sentence for a tab, and for each group on it, that shows no line."""
    groups = [
        each
        for each in descendants(tab)
        if isinstance(each, tk.LabelFrame | ttk.LabelFrame) and each.winfo_viewable()
    ]
    faults = [
        f"the group '{group.cget('text')}' is blank"
        for group in groups
        if not _shows_a_line(group)
    ]
    return faults if _shows_a_line(tab) else [*faults, "the tab is blank"]


def _shows_a_line(frame: tk.Misc) -> bool:
    """Return whether there is a label of a line that shows."""
    return any(
        isinstance(each, tk.Label) and each.winfo_viewable() and each.cget("text")
        for each in descendants(frame)
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Window of Scipion's around one frame, as large as the screen allows."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from pyworkflow.gui.gui import Window, centerWindows
from pyworkflow.viewer import View

_SMALLEST = 900, 480
_LARGEST = 1600, 900
_OF_SCREEN = 0.97, 0.88
"""Width and height, pixels, and as parts of the screen."""

MakeFrame = Callable[[tk.Misc], tk.Frame]
"""Makes a frame, given its parent."""


class FrameWindow(Window):
    """A window whose content is the frame that `make_frame` makes."""

    def __init__(self, make_frame: MakeFrame, *, title: str, masterWindow=None):
        super().__init__(title, masterWindow, minsize=_SMALLEST)
        self.frame = make_frame(self.root)
        self.frame.grid(row=0, column=0, sticky="news")
        # Scipion would centre it on its own window, and lose the buttons below.
        screen = self.root.winfo_screenwidth(), self.root.winfo_screenheight()
        size = [
            min(largest, round(part * side))
            for largest, part, side in zip(_LARGEST, _OF_SCREEN, screen, strict=True)
        ]
        centerWindows(self.root, dim=size)

    def open(self) -> None:
        """Show the window and return, where Scipion's `show` enters a loop of its own.

        For a window that another one opens, whose button waits for the end of it.
        """
        self.root.deiconify()
        self.root.focus_set()


class FrameView(View):
    """View that opens a `FrameWindow` with these arguments."""

    def __init__(self, make_frame: MakeFrame, **arguments):
        self.make_frame, self._arguments = make_frame, arguments

    def show(self) -> None:
        """Open the window."""
        FrameWindow(self.make_frame, **self._arguments).show(center=False)

    def open(self) -> None:
        """Open the window from another one, and return."""
        FrameWindow(self.make_frame, **self._arguments).open()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Screenshots of windows, and the faults found on the way."""

from __future__ import annotations

import os
import tkinter as tk
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ImageGrab

_SETTLE_MS = 150
"""Time for the window manager and the server to draw, after Tk has done its part."""


class Report:
    """Screenshots in a folder, numbered in the order they were taken, and faults."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.faults: list[str] = []
        self.n_screenshots = 0

    def shoot(self, window: tk.Misc, name: str) -> None:
        """Save what the screen shows of `window`, as ``NN_name.png``."""
        _settle(window)
        left, top = max(0, window.winfo_rootx()), max(0, window.winfo_rooty())
        right = min(left + window.winfo_width(), window.winfo_screenwidth())
        bottom = min(top + window.winfo_height(), window.winfo_screenheight())
        image = ImageGrab.grab(
            bbox=(left, top, right, bottom), xdisplay=os.environ["DISPLAY"]
        )
        self.n_screenshots += 1
        image.save(self.folder / f"{self.n_screenshots:02d}_{name}.png")

    def add(self, name: str, faults: list[str]) -> None:
        """Note faults of what is called `name`; none is fine."""
        self.faults += [f"{name}: {fault}" for fault in faults]

    @contextmanager
    def noting_errors(self, name: str) -> Iterator[None]:
        """Note what is raised as a fault, and go on with the next window."""
        try:
            yield
        except Exception as error:  # any: it is what the check is for
            self.add(name, [f"{type(error).__name__}: {error}"])


def _settle(window: tk.Misc) -> None:
    window.winfo_toplevel().lift()
    window.update()
    done = tk.BooleanVar(window, False)
    window.after(_SETTLE_MS, lambda: done.set(True))
    window.wait_variable(done)
    window.update()

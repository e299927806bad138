# SPDX-License-Identifier: GPL-3.0-or-later
"""Scipion's project window, in a process of its own: ``python -O -m … PROJECT``."""

from __future__ import annotations

import sys
import tkinter as tk

from pyworkflow.gui.project import ProjectWindow


def main(project: str) -> int:
    """Show the window of a project until it is closed."""
    try:
        ProjectWindow(project).show()
    except tk.TclError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

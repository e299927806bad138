# SPDX-License-Identifier: GPL-3.0-or-later
"""Use of the window of averages: choose some, mark them, create coordinates."""

from __future__ import annotations

import tkinter as tk

from pyworkflow.project import Project

from deepconsensus_plugin.viewers.averages.frame import AveragesFrame
from tools.gui_check.cut_off import find_cut_off, find_cut_off_in_figure
from tools.gui_check.report import Report
from tools.gui_check.windows import descendants, settle


def averages_frame(window: tk.Misc) -> AveragesFrame | None:
    """Return what a window of averages consists of; None for any other window."""
    found = (each for each in descendants(window) if isinstance(each, AveragesFrame))
    return next(found, None)


def use_averages_window(
    window: tk.Toplevel, project: Project, name: str, report: Report
) -> None:
    """Look at a window of averages, click and mark two, and create coordinates."""
    frame = averages_frame(window)
    _look(window, frame, name, report)
    for key in ("g", "b"):
        _press(frame, frame.grid_.neighbour(1), key)
    _look(window, frame, f"{name}_marked", report)
    marks = frame.grid_.marks
    if (len(marks.good), len(marks.bad)) != (1, 1):
        report.add(name, [f"expected a good and a bad average, received {marks}"])
    before = {run.getObjId() for run in project.getRuns()}
    frame.create()
    report.shoot(window, f"{name}_created")
    new = [run for run in project.getRuns() if run.getObjId() not in before]
    if len(new) != 1:
        report.add(name, [f"expected one new run, received {len(new)}"])


def _press(frame: AveragesFrame, average: int, key: str) -> None:
    """Click an average, then press a key."""
    layout, axes = frame.grid_.layout, frame.pane.figure.axes[0]
    place = layout.averages.tolist().index(average)
    middle = layout.left[place] + 0.5, layout.top[place] + 0.5
    x, y = axes.transData.transform(middle)
    widget = frame.pane.canvas.get_tk_widget()
    widget.event_generate("<Button-1>", x=round(x), y=round(widget.winfo_height() - y))
    widget.focus_force()
    frame.update()
    widget.event_generate(f"<Key-{key}>")
    frame.update()


def _look(window: tk.Toplevel, frame: AveragesFrame, name: str, report: Report) -> None:
    """Save what is seen, and note what is cut off."""
    settle(frame)
    report.shoot(window, name)
    report.add(name, find_cut_off(window))
    for pane in (frame.pane, frame.members):
        report.add(name, find_cut_off_in_figure(pane.figure))

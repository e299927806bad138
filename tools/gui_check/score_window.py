# SPDX-License-Identifier: GPL-3.0-or-later
"""Use of the window of scores: drag the threshold, create a particle set."""

from __future__ import annotations

import time
import tkinter as tk

import numpy as np
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol, getProtocolFromDb

from deepconsensus_plugin.viewers.scores.frame import ScoreFrame
from tools.gui_check.averages_window import averages_frame
from tools.gui_check.cut_off import find_cut_off, find_cut_off_in_figure
from tools.gui_check.report import Report
from tools.gui_check.windows import descendants, opened, settle

_AVERAGES, _REPORT = 1, 2
"""Numbers of their buttons."""
_DRAGGED_TO = 0.62
_NEAR = 0.01
"""What a pixel of the plot is, and a bit."""
_RUN_SECONDS = 180.0


def score_frame(window: tk.Misc) -> ScoreFrame | None:
    """Return what a window of scores consists of; None for any other window."""
    found = (each for each in descendants(window) if isinstance(each, ScoreFrame))
    return next(found, None)


def use_score_window(
    window: tk.Toplevel, project: Project, name: str, report: Report
) -> None:
    """Look at a window of scores, drag its line, and check the sets that it makes."""
    frame = score_frame(window)
    settle(frame)
    _look(window, frame, name, report)
    _drag(frame, _DRAGGED_TO)
    settle(frame)
    if not abs(frame.threshold - _DRAGGED_TO) < _NEAR:
        report.add(name, [f"dragged to {_DRAGGED_TO}, it is at {frame.threshold}"])
    _look(window, frame, f"{name}_dragged", report)
    _open_averages(window, frame, name, report)
    _write_report(window, frame, name, report)
    before = {run.getObjId() for run in project.getRuns()}
    frame.run_action()
    report.shoot(window, f"{name}_selected")
    new = [run for run in project.getRuns() if run.getObjId() not in before]
    if len(new) != 1:
        report.add(name, [f"expected one new run, received {len(new)}"])
        return
    report.add(name, _describe_wrong_sets(_finished(new[0]), frame))


def _open_averages(
    window: tk.Toplevel, frame: ScoreFrame, name: str, report: Report
) -> None:
    """Press the button of averages, and see that their window opens."""
    with opened(window.master, lambda: frame.run_action(_AVERAGES)) as averages:
        found = averages_frame(averages)
        if found is None:
            report.add(name, [f"no averages in the window '{averages.title()}'"])
            return
        settle(found)
        report.shoot(averages, f"{name}_averages")
    if frame._buttons[_AVERAGES]["state"] == tk.DISABLED:
        report.add(name, ["the button of averages stays grey"])


def _write_report(
    window: tk.Toplevel, frame: ScoreFrame, name: str, report: Report
) -> None:
    """Press the button of the report, and see that it is written."""
    frame.run_action(_REPORT)
    settle(frame)
    report.shoot(window, f"{name}_report")
    shown = " ".join(
        str(each.cget("text"))
        for each in descendants(frame)
        if isinstance(each, tk.Label)
    )
    if "Report: " not in shown:
        report.add(name, [f"expected the path of a report, received '{shown}'"])


def _look(window: tk.Toplevel, frame: ScoreFrame, name: str, report: Report) -> None:
    """Save what is seen, and note what is cut off."""
    report.shoot(window, name)
    report.add(name, find_cut_off(window))
    for pane in (frame.plots, frame.gallery, frame.micrograph):
        report.add(name, find_cut_off_in_figure(pane.figure))


def _drag(frame: ScoreFrame, threshold: float) -> None:
    """Press on the histogram where the line is, and move it."""
    axes = frame.plots.figure.axes[0]
    widget = frame.plots.canvas.get_tk_widget()
    for event, score in (
        ("<Button-1>", frame.threshold),
        ("<B1-Motion>", (frame.threshold + threshold) / 2),
        ("<B1-Motion>", threshold),
        ("<ButtonRelease-1>", threshold),
    ):
        x, y = axes.transData.transform((score, np.mean(axes.get_ylim())))
        widget.event_generate(event, x=round(x), y=round(widget.winfo_height() - y))
        frame.update()


def _finished(run: Protocol) -> Protocol:
    """Return a run as it is once it has ended."""
    deadline = time.monotonic() + _RUN_SECONDS
    place = run.getProject().path, run.getDbPath(), run.getObjId()
    while True:
        stored = getProtocolFromDb(*place)
        if not stored.isActive():
            return stored
        if time.monotonic() > deadline:
            raise RuntimeError(f"{run.getRunName()} did not end: {stored.getStatus()}")
        time.sleep(0.5)


def _describe_wrong_sets(run: Protocol, frame: ScoreFrame) -> list[str]:
    """Return a sentence if the new sets are not what the window counted."""
    if not run.isFinished():
        return [f"{run.getRunName()} {run.getStatus()}: {run.getErrorMessage()}"]
    n_kept = int(frame.overview.placed.n_kept(frame.threshold))
    expected = n_kept, len(frame.overview.placed) - n_kept
    sets = (
        getattr(run, f"outputCoordinates{suffix}", None) for suffix in ("", "Rejected")
    )
    received = tuple(0 if each is None else each.getSize() for each in sets)
    if received == expected:
        return []
    return [f"expected {expected} kept and rejected candidates, received {received}"]

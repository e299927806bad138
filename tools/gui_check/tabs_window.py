# SPDX-License-Identifier: GPL-3.0-or-later
"""Use of the windows of plots: look at every tab, and choose what can be chosen."""

from __future__ import annotations

import tkinter as tk

from deepconsensus_plugin.viewers.tabs.frame import TabsFrame
from deepconsensus_plugin.viewers.tabs.micrographs_pane import MicrographsPane
from deepconsensus_plugin.viewers.tabs.plot_pane import PlotPane
from deepconsensus_plugin.viewers.viewer_evaluation import ComparisonFrame
from tools.gui_check.cut_off import find_cut_off, find_cut_off_in_figure
from tools.gui_check.report import Report
from tools.gui_check.windows import descendants, settle

PlotsFrame = TabsFrame | ComparisonFrame


def plots_frame(window: tk.Misc) -> PlotsFrame | None:
    """Return what a window of plots consists of; None for any other window."""
    found = (each for each in descendants(window) if isinstance(each, PlotsFrame))
    return next(found, None)


def use_plots_window(window: tk.Toplevel, name: str, report: Report) -> None:
    """Look at everything that a window of plots can show."""
    frame = plots_frame(window)
    if isinstance(frame, ComparisonFrame):
        _look_at_comparisons(window, frame, name, report)
        return
    for tab, pane in zip(frame.notebook.tabs(), frame.panes, strict=True):
        frame.notebook.select(tab)
        title = frame.notebook.tab(tab, "text").lower().replace(" ", "_")
        _look(window, frame, pane, f"{name}_{title}", report)
        if isinstance(pane, MicrographsPane):
            _recolour(window, frame, pane, f"{name}_{title}", report)


def _look_at_comparisons(
    window: tk.Toplevel, frame: ComparisonFrame, name: str, report: Report
) -> None:
    _look(window, frame, frame.pane, name, report)
    if len(frame.comparisons) > 1:
        frame.draw_all()
        _look(window, frame, frame.pane, f"{name}_all", report)


def _recolour(
    window: tk.Toplevel,
    frame: TabsFrame,
    pane: MicrographsPane,
    name: str,
    report: Report,
) -> None:
    """Colour by the last picker, on the next micrograph."""
    content = pane.content
    content.colouring.set(content.colouring["values"][-1])
    content.show(content.shown + 1)
    _look(window, frame, pane, f"{name}_of_a_picker", report)


def _look(
    window: tk.Toplevel,
    frame: PlotsFrame,
    pane: PlotPane | MicrographsPane,
    name: str,
    report: Report,
) -> None:
    """Save what is seen, and note what is cut off."""
    settle(frame)
    report.shoot(window, name)
    report.add(name, find_cut_off(window))
    shown = pane.content if isinstance(pane, MicrographsPane) else pane
    report.add(name, find_cut_off_in_figure(shown.figure))

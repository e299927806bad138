# SPDX-License-Identifier: GPL-3.0-or-later
"""Use of the wizards of forms, as a user does."""

from __future__ import annotations

import time
import tkinter as tk
from tkinter import ttk

import numpy as np
from pwem import Domain
from pyworkflow.protocol import Protocol
from pyworkflow.utils import Message
from pyworkflow.viewer import DESKTOP_TKINTER

from deepconsensus_plugin.wizards.radius_frame import RadiusFrame
from deepconsensus_plugin.wizards.size_frame import SizeFrame
from deepconsensus_plugin.wizards.value_dialog import ValueDialog
from tools.gui_check.cut_off import find_cut_off, find_cut_off_in_figure
from tools.gui_check.report import Report
from tools.gui_check.score_window import score_frame
from tools.gui_check.windows import all_opened, descendants, settle

_DRAGGED_PX = 60
"""How far the mouse goes over a micrograph."""
_RADIUS = 0.2
_SECONDS = 60.0


def press_wands(
    form: tk.Toplevel, notebook: ttk.Notebook, run: Protocol, name: str, report: Report
) -> None:
    """Open each wizard of a form, choose something, and see that the form has it."""
    params = [
        param
        for param, wizard in Domain.findWizards(run, DESKTOP_TKINTER).items()
        if wizard.__module__.startswith("deepconsensus_plugin")
    ]
    n_used = 0
    for tab in notebook.tabs():
        notebook.select(tab)
        form.update()
        for button in _wands(form.nametowidget(tab)):
            before = _values(run, params)
            with all_opened(form, button.invoke) as windows:
                for window in windows:
                    n_used += 1
                    _use(window, f"{name}_wizard_{n_used}", report)
                chosen = any(isinstance(w, ValueDialog) for w in windows)
            changed = sum(
                old != new
                for old, new in zip(before, _values(run, params), strict=True)
            )
            if chosen and changed != 1:
                report.add(f"{name}_wizard_{n_used}", [f"it changed {changed} values"])
    if any(map(run.evalParamCondition, params)) and not n_used:
        report.add(name, [f"no wand for {', '.join(params)}"])


def _wands(tab: tk.Misc) -> list[tk.Button]:
    return [
        button
        for button in descendants(tab)
        if isinstance(button, tk.Button)
        and button.cget("text") == Message.LABEL_BUTTON_WIZ
        and button.winfo_viewable()
    ]


def _values(run: Protocol, params: list[str]) -> list[object]:
    return [getattr(run, param).get() for param in params]


def _use(window: tk.Toplevel, name: str, report: Report) -> None:
    """Look at the window of a wizard, and take over another value."""
    if (scores := score_frame(window)) is not None:
        settle(scores)
        report.shoot(window, name)
        report.add(name, find_cut_off(window))
        scores.set_threshold(0.31)
        scores.run_action()
        return
    if isinstance(window, ValueDialog):
        _wait(window)
        _look(window, name, report)
        _drag(window)
        _look(window, f"{name}_dragged", report)
        window._handleResult(0)  # as its first button does
        return
    report.shoot(window, name)
    report.add(name, find_cut_off(window))


def _wait(window: ValueDialog) -> None:
    deadline = time.monotonic() + _SECONDS
    window.update()
    while not window.frame.is_settled:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not ready after {_SECONDS:.0f} s")
        window.update()
        time.sleep(0.01)


def _look(window: ValueDialog, name: str, report: Report) -> None:
    report.shoot(window, name)
    report.add(name, find_cut_off(window))
    frame = window.frame
    panes = (
        [frame.pane]
        if isinstance(frame, SizeFrame)
        else [frame.curves, frame.micrograph]
    )
    for pane in panes:
        report.add(name, find_cut_off_in_figure(pane.figure))


def _drag(window: ValueDialog) -> None:
    """Pull an outline over a micrograph, or the line over the curves."""
    frame = window.frame
    if isinstance(frame, RadiusFrame):
        axes = frame.curves.curves.axes
        widget = frame.curves.canvas.get_tk_widget()
        x, y = axes.transData.transform((_RADIUS, np.mean(axes.get_ylim())))
        places = [(x, widget.winfo_height() - y)] * 2
    else:
        widget = frame.pane.canvas.get_tk_widget()
        x, y = widget.winfo_width() / 2, widget.winfo_height() / 2
        places = [(x, y), (x + _DRAGGED_PX, y)]
    for event, (x, y) in zip(("<Button-1>", "<B1-Motion>"), places, strict=True):
        widget.event_generate(event, x=round(x), y=round(y))
        window.update()
    widget.event_generate("<ButtonRelease-1>", x=round(x), y=round(y))
    window.update()

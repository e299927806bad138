# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a selection's report, in a browser."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator

from pwem.objects import EMSet, SetOfCoordinates, SetOfParticles
from pyworkflow.gui.gui import Window
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.report.selections import SELECTORS
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.opened_report import open_report
from deepconsensus_plugin.viewers.pane import BACKGROUND

_TITLE = "Report"
_WIDTH, _HEIGHT = 640, 90
_PAD = 20


class ReportWindow(Window):
    """Window with the progress of a report, and a link once it is written."""

    def __init__(self, messages: Iterator[str], masterWindow=None):
        super().__init__(_TITLE, masterWindow, minsize=(_WIDTH, _HEIGHT))
        self.label = tk.Label(
            self.root, bg=BACKGROUND, wraplength=_WIDTH - 2 * _PAD, justify=tk.LEFT
        )
        self.label.grid(row=0, column=0, sticky="news", ipadx=_PAD, ipady=_PAD)
        self.background = Background(self.root, lambda error: self.tell(str(error)))
        self.root.bind("<Destroy>", self._close_background)
        self.background.ask("report", messages, self.tell)

    def tell(self, message: str) -> None:
        """Show a message."""
        self.label.configure(text=message)

    def _close_background(self, event: tk.Event) -> None:
        if event.widget is self.root:
            self.background.close()


class ReportView(View):
    """View that opens a `ReportWindow` with these arguments."""

    def __init__(self, **arguments):
        self._arguments = arguments

    def show(self) -> None:
        """Open the window."""
        ReportWindow(**self._arguments).show()


class DeepConsensusReportViewer(Viewer):
    """One page on how a selection came about; in the menu of its outputs."""

    _name = "deep consensus report"
    _environments = [DESKTOP_TKINTER]
    _targets = [SetOfParticles, SetOfCoordinates]

    @classmethod
    def can_handle_this_instance(cls, instance: EMSet) -> bool:
        """Return whether an output is that of a selection, by the folder of its run."""
        path = instance.getFileName()
        return any(f"_{kind.__name__}/" in path for kind in SELECTORS)

    def _visualize(self, obj: EMSet, **kwargs) -> list[View]:
        project = self.getProject()
        messages = open_report(project, project.getProtocol(obj.getObjParentId()))
        if isinstance(messages, str):
            return [self.infoMessage(messages, _TITLE)]
        return [ReportView(messages=messages, masterWindow=self.getParent())]

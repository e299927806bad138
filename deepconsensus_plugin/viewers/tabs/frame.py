# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame of tabs in Tk; a tab is read when it is first looked at."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from functools import partial
from tkinter import ttk

from pyworkflow.gui.gui import Window

from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.frame_window import FrameView
from deepconsensus_plugin.viewers.pane import BACKGROUND
from deepconsensus_plugin.viewers.tabs.micrographs_pane import MicrographsPane
from deepconsensus_plugin.viewers.tabs.plot_pane import PlotPane
from deepconsensus_plugin.viewers.tabs.tab import MicrographsTab, Tab


class TabsFrame(tk.Frame):
    """Tabs, the first of which is shown at first.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    tabs : sequence of Tab
        At least one.
    """

    def __init__(self, parent: tk.Misc, tabs: Sequence[Tab]):
        super().__init__(parent, bg=BACKGROUND)
        self.background = Background(self, self._tell_error)
        self._status = tk.Label(self, bg=BACKGROUND, anchor=tk.W)
        self.notebook = ttk.Notebook(self)
        self.panes = [self._make_pane(tab) for tab in tabs]
        self._unread = set(range(len(tabs)))
        self.notebook.pack(fill=tk.BOTH, expand=True)
        self.notebook.bind("<<NotebookTabChanged>>", lambda _: self._open())
        self.bind("<Destroy>", self._close)

    @property
    def is_settled(self) -> bool:
        """Whether all that was asked for is shown."""
        return not self.background.is_busy

    def _make_pane(self, tab: Tab) -> PlotPane | MicrographsPane:
        pane: PlotPane | MicrographsPane
        if isinstance(tab, MicrographsTab):
            pane = MicrographsPane(self.notebook, self.background, tab)
        else:
            pane = PlotPane(self.notebook, self.background, tab)
        self.notebook.add(pane, text=tab.title)
        return pane

    def _open(self) -> None:
        """Read the chosen tab, if it was not yet."""
        number = self.notebook.index("current")
        if number in self._unread:
            self._unread.remove(number)
            self.panes[number].open()

    def _tell_error(self, error: BaseException) -> None:
        """Tell what went wrong with a micrograph; panes tell their own faults."""
        self._status.configure(text=f"{type(error).__name__}: {error}")
        self._status.pack(side=tk.BOTTOM, fill=tk.X, before=self.notebook)

    def _close(self, event: tk.Event) -> None:
        if event.widget is self:
            self.background.close()


class TabsView(FrameView):
    """View of tabs in a window of their own."""

    def __init__(self, title: str, tabs: Sequence[Tab], masterWindow: Window | None):
        make_frame = partial(TabsFrame, tabs=tabs)
        super().__init__(make_frame, title=title, masterWindow=masterWindow)
        self.tabs = {tab.title: tab for tab in tabs}

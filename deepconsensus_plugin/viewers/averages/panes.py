# SPDX-License-Identifier: GPL-3.0-or-later
"""Panes of the window of averages, each a figure with its buttons below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Any

from deepconsensus_plugin.viewers.averages.grid import AveragesGrid
from deepconsensus_plugin.viewers.averages.shown import AveragesShown
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.micrograph_pane import MicrographPane
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.viewers.pane import Pane
from deepconsensus_plugin.viewers.tabs.micrographs_pane import PicksView

_HELP = "Below each: members and resolution, and the share that is accepted."


class GridPane(Pane):
    """Averages; a click chooses one, the wheel moves them where not all have room."""

    def __init__(
        self,
        parent: tk.Misc,
        shown: AveragesShown,
        choose: Callable[[int], None],
        **size: int,
    ):
        super().__init__(parent, **size)
        self._choose = choose
        self.grid_ = AveragesGrid(self.figure, shown)
        self.add_label(_HELP)
        self.canvas.mpl_connect("button_press_event", self._press)
        self.canvas.mpl_connect("scroll_event", lambda e: self.grid_.scroll(e.step))
        self.canvas.mpl_connect("resize_event", lambda _: self.grid_.fit())

    def _press(self, event: Any) -> None:
        if (average := self.grid_.average_at(event)) is not None:
            self._choose(average)


class MembersPane(MicrographPane):
    """Micrographs with members of an average, one after the other."""

    view: PicksView

    def __init__(
        self,
        parent: tk.Misc,
        shown: AveragesShown,
        background: Background,
        **size: int,
    ):
        self._shown, self._average = shown, -1
        self._box_size = shown.micrographs.box_size if shown.micrographs else 0.0
        super().__init__(parent, None, background, **size)

    def make_view(self) -> PicksView:
        """Return a micrograph with circles."""
        return PicksView(self.figure, box_size=self._box_size or 1.0)

    def show_average(self, average: int) -> None:
        """Show the micrographs with members of an average, from that with most."""
        self._average = average
        found = self._shown.micrographs_of(average)
        self.set_micrographs(*(found or (None, 0)))

    def receive(self, picture: MicrographPicture) -> None:
        """Show a micrograph with its candidates."""
        super().receive(picture)
        self.view.show_picks(self._shown.picks_on(picture.name, self._average))

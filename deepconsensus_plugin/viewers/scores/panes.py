# SPDX-License-Identifier: GPL-3.0-or-later
"""Panes of the window of scores, each a figure with its buttons below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Any

from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.micrograph_pane import MicrographPane
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.viewers.pane import BACKGROUND, Pane
from deepconsensus_plugin.viewers.scores.micrograph import MicrographPlot
from deepconsensus_plugin.viewers.scores.overview import Overview
from deepconsensus_plugin.viewers.scores.plots import ScorePlots

_PAD = 4


class PlotsPane(Pane):
    """Histogram and curves; the line of the threshold follows the mouse."""

    def __init__(
        self,
        parent: tk.Misc,
        overview: Overview,
        threshold: float,
        choose: Callable[[float], None],
        **size: int,
    ):
        super().__init__(parent, **size)
        self.plots = ScorePlots(self.figure, overview, threshold=threshold)
        self._choose = choose
        names = overview.groupings
        self.add_label("Colour by")
        self._grouping = self.add_choices(names, names[0], self._regroup)
        # Probabilities crowd at their ends.
        self.is_log = tk.BooleanVar(self, overview.expectation is not None)
        log = tk.Checkbutton(
            self.buttons,
            text="Log scale",
            variable=self.is_log,
            command=self._rescale,
            bg=BACKGROUND,
            highlightthickness=0,
        )
        log.pack(side=tk.LEFT, padx=_PAD)
        self._rescale()
        for event in ("button_press_event", "motion_notify_event"):
            self.canvas.mpl_connect(event, self._follow)

    def _regroup(self) -> None:
        self.plots.set_grouping(self._grouping.get())

    def _rescale(self) -> None:
        self.plots.set_log(self.is_log.get())

    def _follow(self, event: Any) -> None:
        score = self.plots.threshold_at(event)
        if event.button == 1 and score is not None:
            self._choose(score)


class ScoredMicrographPane(MicrographPane):
    """One micrograph after the other, with its candidates."""

    view: MicrographPlot

    def __init__(
        self,
        parent: tk.Misc,
        overview: Overview,
        background: Background,
        threshold: float,
        **size: int,
    ):
        self._overview, self._threshold = overview, threshold
        self._pointed_at: int | None = None
        super().__init__(
            parent,
            overview.table.micrographs,
            background,
            first=overview.most_mixed_micrograph(threshold),
            **size,
        )

    def make_view(self) -> MicrographPlot:
        """Return a micrograph with circles."""
        box_size = self._micrographs.box_size if self._micrographs else 0
        return MicrographPlot(self.figure, box_size=box_size or 1.0)

    def receive(self, picture: MicrographPicture) -> None:
        """Show a micrograph with its picks, and the candidate that was asked for."""
        picks = self._overview.picks_on(self.shown)
        self.view.show(picture, picks, self._threshold)
        if self._pointed_at is not None:
            self.view.point_at(self._pointed_at)
            self._pointed_at = None

    def set_threshold(self, threshold: float) -> None:
        """Colour the picks by a threshold."""
        self._threshold = threshold
        self.view.set_threshold(threshold)

    def show_only(self, reason: Reason | None) -> None:
        """Show the candidates of which this becomes; all if None."""
        self.view.show_only(reason)

    def point_at(self, row: int) -> None:
        """Mark a candidate on its micrograph."""
        number = int(self._overview.table.micrograph_index[row])
        if number == self.shown:
            self.view.point_at(row)
        elif number >= 0:
            self._pointed_at = row
            self.show(number)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Panes of the window of scores, each a figure with its buttons below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Any

from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.micrograph_pane import MicrographPane
from deepconsensus_plugin.viewers.micrograph_view import MicrographPicture
from deepconsensus_plugin.viewers.pane import BACKGROUND, LOW_PASSES, Pane
from deepconsensus_plugin.viewers.scores.gallery import Gallery
from deepconsensus_plugin.viewers.scores.micrograph import SHOWN, MicrographPlot
from deepconsensus_plugin.viewers.scores.overview import Overview
from deepconsensus_plugin.viewers.scores.plots import ScorePlots
from deepconsensus_plugin.viewers.scores.tiles import Tiles

_LOW_PASS_AT_FIRST = "30 Å"
_PAD = 4

_EVERY = "all candidates"
_ONLY = {_EVERY: None, **{reason.label: reason for reason in SHOWN}}
"""Kinds of candidates to show, by their names for users."""

OnRow = Callable[[int], None]
OnReason = Callable[[Reason | None], None]


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


class GalleryPane(Pane):
    """Particles, best first, around the threshold until one looks elsewhere."""

    def __init__(
        self,
        parent: tk.Misc,
        overview: Overview,
        background: Background,
        threshold: float,
        point_at: OnRow,
        filter_others: OnReason,
        **size: int,
    ):
        super().__init__(parent, **size)
        self._overview, self._background = overview, background
        self._threshold, self._shift = threshold, 0
        self._tiles = Tiles(overview.images) if overview.images is not None else None
        self._point_at, self._filter = point_at, filter_others
        self.gallery = Gallery(self.figure)
        self.add_button("◀ Better", lambda: self.turn(-1))
        self.add_button("Cutoff", lambda: self.set_threshold(self._threshold))
        self.add_button("Worse ▶", lambda: self.turn(1))
        self.add_label("Low-pass")
        self._low_pass = self.add_choices(
            list(LOW_PASSES), _LOW_PASS_AT_FIRST, self._refresh
        )
        line = self.add_line_above()
        self.add_label("Show", line=line)
        self._only = self.add_choices(
            list(_ONLY), _EVERY, lambda: self.show_only(self._only.get()), line=line
        )
        self._ranks = self.add_label(line=line)
        self.canvas.mpl_connect("button_press_event", self._press)
        self.canvas.mpl_connect("scroll_event", self._scroll)
        self.canvas.mpl_connect("resize_event", self._fit)

    def set_threshold(self, threshold: float) -> None:
        """Show the particles around a threshold."""
        self._threshold, self._shift = threshold, 0
        self._refresh()

    def turn(self, n_pages: int, *, part: float = 1.0) -> None:
        """Go on by pages, to worse ones if positive, or parts of them."""
        rows, size = self._ranked(), self.gallery.size
        middle = int((self._overview.table.score[rows] >= self._threshold).sum())
        shift = self._shift + round(n_pages * part * size)
        self._shift = max(-middle, min(shift, len(rows) - middle))
        self._refresh()

    def _ranked(self) -> IntArray:
        return self._overview.ranked(self._threshold, _ONLY[self._only.get()])

    def show_only(self, name: str) -> None:
        """Show candidates of one kind, here and on the micrograph."""
        self._only.set(name)
        self.set_threshold(self._threshold)
        self._filter(_ONLY[name])

    def _refresh(self) -> None:
        page = self._overview.page(
            self._threshold,
            self.gallery.size,
            shift=self._shift,
            only=_ONLY[self._only.get()],
        )
        self._ranks.configure(text=page.describe())
        self.gallery.show(page, self._threshold)
        if self._tiles is None:
            self.gallery.add_tiles({})
            return
        low_pass_A = LOW_PASSES[self._low_pass.get()]
        tiles = self._tiles.read(page.rows.tolist(), low_pass_A=low_pass_A)
        self._background.ask("particles", tiles, self.gallery.add_tiles)

    def _fit(self, event: Any) -> None:
        if self.gallery.fit():
            self._refresh()

    def _press(self, event: Any) -> None:
        if (row := self.gallery.row_at(event)) is not None:
            self._point_at(row)

    def _scroll(self, event: Any) -> None:
        self.turn(-1 if event.step > 0 else 1, part=0.5)


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

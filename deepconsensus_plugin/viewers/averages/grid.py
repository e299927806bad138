# SPDX-License-Identifier: GPL-3.0-or-later
"""Grid of averages that can be chosen and marked."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from deepconsensus_plugin.core.averages.marks import Mark, Marks
from deepconsensus_plugin.plots.averages import (
    add_picker_legend,
    draw_tiles,
)
from deepconsensus_plugin.plots.averages_layout import (
    lay_out,
    panels_of,
)
from deepconsensus_plugin.plots.colours import GREEN, ORANGE
from deepconsensus_plugin.viewers.averages.shown import AveragesShown
from deepconsensus_plugin.viewers.overlay import Overlay

_SMALLEST_PX = 84
"""Side of an average on the screen, pixels, at least."""
_FONT = 7
_LEGEND_PX = 24
_WHEEL = 0.5
"""Part of a line that a step of the wheel moves."""
_INSET = 0.035
_CHOSEN = "#FF3030"
_MARKS = {Mark.GOOD: (GREEN, "✓"), Mark.BAD: (ORANGE, "✗")}


class AveragesGrid:
    """Averages beside each other, mostly accepted ones first, framed by their marks.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    shown : AveragesShown
        The averages.
    """

    def __init__(self, figure: Figure, shown: AveragesShown):
        self._figure, self._shown = figure, shown
        self._overlay = Overlay(figure)
        self._panels = panels_of(shown.members)
        self.marks, self.chosen = shown.marks, self._first()
        self.fit()

    def fit(self) -> None:
        """Lay the averages out anew for the size of the figure."""
        width, height = self._figure.bbox.size
        self._room = max(1.0, height - _LEGEND_PX)
        n_pickers = len(self._shown.pickers)
        most = max(1, int(width // _SMALLEST_PX))
        layouts = [
            lay_out(self._panels, n_columns=n, n_pickers=n_pickers)
            for n in range(1, most + 1)
        ]
        # As large as all of them fit; where they do not, the wheel moves them.
        fitting = [
            each for each in layouts if each.height * width / each.width <= self._room
        ]
        self.layout, self._top = (fitting or layouts[-1:])[0], 0.0
        self._draw()

    def choose(self, average: int) -> None:
        """Frame another average as the one that is looked at."""
        self.chosen = average
        self._show_marks()

    def set_marks(self, marks: Marks) -> None:
        """Show other marks."""
        self.marks = marks
        self._show_marks()

    def average_at(self, event: Any) -> int | None:
        """Return the average that the mouse is at, or None."""
        if event.inaxes is not self._axes:
            return None
        return self.layout.at(event.xdata, event.ydata)

    def neighbour(self, by: int) -> int:
        """Return the average that comes `by` places after the chosen one."""
        order = self.layout.averages.tolist()
        return int(order[(order.index(self.chosen) + by) % len(order)])

    def scroll(self, steps: float) -> None:
        """Move the averages by steps of the wheel, as far as there are some."""
        lowest = max(0.0, self.layout.height - self._n_visible)
        self._top = float(np.clip(self._top - _WHEEL * steps, 0, lowest))
        self._axes.set_ylim(self._top + self._n_visible, self._top)
        self._figure.canvas.draw_idle()

    def _first(self) -> int:
        return int(self._panels[0].chosen[0])

    @property
    def _n_visible(self) -> float:
        """Height of what shows, in averages."""
        return self._room * self.layout.width / float(self._figure.bbox.width)

    def _draw(self) -> None:
        self._figure.clear()
        self._overlay.clear()
        below = 1 - self._room / float(self._figure.bbox.height)
        self._axes = self._figure.add_axes((0, below, 1, 1 - below))
        top = self._top
        self._axes.set(
            xlim=(0, self.layout.width), ylim=(top + self._n_visible, top), anchor="NW"
        )
        draw_tiles(
            *(self._axes, self._shown.table, self._shown.members, self.layout),
            fontsize=_FONT,
        )
        add_picker_legend(self._figure, self._shown.pickers)
        self._marked: list[Artist] = []
        self._show_marks()
        self._figure.canvas.draw_idle()

    def _show_marks(self) -> None:
        for old in self._marked:
            self._overlay.remove(old)
        frames = {average: _MARKS[mark][0] for average, mark in self._all_marks()}
        self._marked = [
            self._frame([*frames], [*frames.values()], _INSET, 3.5),
            self._frame([self.chosen], [_CHOSEN], 0.0, 2.0),
            *(self._sign(average, mark) for average, mark in self._all_marks()),
        ]
        for artist in self._marked:
            self._overlay.add(artist)
        self._overlay.update()

    def _all_marks(self) -> list[tuple[int, Mark]]:
        placed = self.layout.averages.tolist()
        found = ((average, self.marks.of(average)) for average in placed)
        return [(average, mark) for average, mark in found if mark is not None]

    def _corner(self, average: int) -> tuple[float, float]:
        place = self.layout.averages.tolist().index(average)
        return float(self.layout.left[place]), float(self.layout.top[place])

    def _frame(
        self, averages: list[int], colours: list[str], inset: float, linewidth: float
    ) -> LineCollection:
        low, high = inset + 0.01, 1 - inset - 0.01
        corners = np.array(
            [(low, low), (high, low), (high, high), (low, high), (low, low)]
        )
        lines = [corners + self._corner(average) for average in averages]
        frames = LineCollection(lines, colors=colours, linewidths=linewidth)
        self._axes.add_collection(frames, autolim=False)
        return frames

    def _sign(self, average: int, mark: Mark) -> Artist:
        """Return the sign of a mark, for those who do not see its colour."""
        left, top = self._corner(average)
        colour, sign = _MARKS[mark]
        return self._axes.text(
            *(left + 0.88, top + 0.08, sign),
            ha="right",
            va="top",
            color="white",
            fontsize=_FONT + 3,
            clip_on=True,
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5},
        )

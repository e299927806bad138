# SPDX-License-Identifier: GPL-3.0-or-later
"""Gallery of particles with their scores, framed by what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.marks.mark import Verdict
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.plots.colours import REASON_COLOURS
from deepconsensus_plugin.viewers.overlay import Overlay
from deepconsensus_plugin.viewers.scores.overview import Page
from deepconsensus_plugin.viewers.scores.tiles import TILE_PX, Tile

PLACE_PX = 78
"""Minimum side of a picture on the screen, pixels."""
_EMPTY = 235
_FRAME = 0.035
"""Distance of a frame from the next place, in places."""
_FONT = 7
_MARK_FONT = 11
_FOCUS_COLOUR = "#F0E442"

MARKS = {
    Verdict.GOOD: ("✔", "#0072B2"),
    Verdict.BAD: ("✘", "#D55E00"),
    Verdict.NONE: ("", "none"),
}
"""Sign and colour of each verdict; blue and vermilion are told apart by all."""

_LABEL = (16, 36)
"""Height and width of what is darkened behind a score, pixels of a picture."""


class Gallery:
    """A page of candidates, row by row, best first.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    """

    def __init__(self, figure: Figure):
        self._figure = figure
        self._axes = figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._overlay = Overlay(figure)
        self._shape = (0, 0)
        self._page = Page(0, 0, np.empty(0, int), PlacedScores(np.empty(0)))
        self.fit()

    @property
    def size(self) -> int:
        """Number of candidates on a page."""
        return self._shape[0] * self._shape[1]

    def fit(self) -> bool:
        """Make as many places as the figure has room for; return if that is another."""
        width, height = self._figure.bbox.size
        shape = max(1, int(height // PLACE_PX)), max(1, int(width // PLACE_PX))
        if shape == self._shape:
            return False
        self._shape = shape
        self._make_places()
        return True

    def show(self, page: Page, threshold: float) -> None:
        """Show a page, its pictures empty until `add_tiles` has them."""
        self._page = page
        self._pixels[:] = _EMPTY
        self._frame(threshold)
        self.show_marks([Verdict.NONE] * len(page.rows), None)

    def set_threshold(self, threshold: float) -> None:
        """Colour the frames anew, by what becomes of the candidates."""
        self._frame(threshold)
        self._overlay.update()

    def show_marks(self, verdicts: Sequence[Verdict], focus: int | None) -> None:
        """Show how each place is marked, and which one keys are for.

        Marks differ in shape as well as in colour.
        """
        for place, text in enumerate(self._marks):
            verdict = verdicts[place] if place < len(verdicts) else Verdict.NONE
            sign, colour = MARKS[verdict]
            text.set_text(sign)
            text.set_color(colour)
        places = [] if focus is None else [focus]
        self._focus.set_segments(
            [_FOCUS + np.array(divmod(each, self._shape[1])[::-1]) for each in places]
        )

    def refresh(self) -> None:
        """Show what was changed since."""
        self._overlay.update()

    @property
    def n_columns(self) -> int:
        """Number of places beside each other."""
        return self._shape[1]

    def add_tiles(self, tiles: Mapping[int, Tile]) -> None:
        """Put pictures, by row of the table, in their places, and show them."""
        for place, row in enumerate(self._page.rows.tolist()):
            if row in tiles:
                y, x = (TILE_PX * each for each in divmod(place, self._shape[1]))
                self._pixels[y : y + TILE_PX, x : x + TILE_PX] = tiles[row]
                label = np.s_[y + TILE_PX - _LABEL[0] : y + TILE_PX, x : x + _LABEL[1]]
                self._pixels[label] //= 3
        self._image.set_data(self._pixels)
        self._overlay.update()

    def place_at(self, event: Any) -> int | None:
        """Return the place on the page that the mouse is at, or None."""
        if event.inaxes is not self._axes:
            return None
        place = int(event.ydata) * self._shape[1] + int(event.xdata)
        return place if 0 <= place < len(self._page.rows) else None

    def row_at(self, event: Any) -> int | None:
        """Return the candidate that the mouse is at, or None."""
        place = self.place_at(event)
        return None if place is None else int(self._page.rows[place])

    def _make_places(self) -> None:
        rows, columns = self._shape
        self._axes.clear()
        self._axes.set_axis_off()
        self._overlay.clear()
        self._pixels = np.full((rows * TILE_PX, columns * TILE_PX), _EMPTY, np.uint8)
        add = self._overlay.add
        self._image = add(
            self._axes.imshow(
                self._pixels,
                cmap="gray",
                vmin=0,
                vmax=255,
                extent=(0, columns, rows, 0),
                aspect="equal",
            )
        )
        self._frames = add(LineCollection([], linewidths=2))
        self._axes.add_collection(self._frames, autolim=False)
        self._scores = [add(self._place_score(n)) for n in range(self.size)]
        self._focus = add(LineCollection([], linewidths=2, colors=_FOCUS_COLOUR))
        self._axes.add_collection(self._focus, autolim=False)
        self._marks = [add(self._place_mark(n)) for n in range(self.size)]

    def _place_score(self, place: int) -> Text:
        y, x = divmod(place, self._shape[1])
        return self._axes.text(
            x + 2 * _FRAME,
            y + 1 - 2 * _FRAME,
            "",
            fontsize=_FONT,
            color="white",
            va="bottom",
        )

    def _place_mark(self, place: int) -> Text:
        y, x = divmod(place, self._shape[1])
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        return self._axes.text(
            x + 1 - 2 * _FRAME,
            y + 2 * _FRAME,
            "",
            fontsize=_MARK_FONT,
            va="top",
            ha="right",
            bbox=behind,
        )

    def _frame(self, threshold: float) -> None:
        """Frame the places that are taken, and write the scores."""
        n_shown = len(self._page.rows)
        places = np.divmod(np.arange(n_shown), self._shape[1])
        corners = _CORNERS + np.stack(places[::-1], axis=1)[:, np.newaxis]
        self._frames.set_segments(corners)
        reasons, scores = self._page.reasons(threshold), self._page.scores
        self._frames.set_color([REASON_COLOURS[Reason(each)] for each in reasons])
        for place, text in enumerate(self._scores):
            text.set_text(f"{scores[place]:.3f}" if place < n_shown else "")


_SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
_CORNERS = _SQUARE * (1 - 2 * _FRAME) + _FRAME
_FOCUS = _SQUARE * (1 - 6 * _FRAME) + 3 * _FRAME

# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrograph with its candidates, by what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX
from deepconsensus_plugin.plots.colours import REASON_COLOURS
from deepconsensus_plugin.plots.picture import add_circles, circle_in_legend
from deepconsensus_plugin.viewers.micrograph_view import (
    FONT,
    MicrographPicture,
    MicrographView,
)
from deepconsensus_plugin.viewers.scores.overview import PicksShown

SHOWN = (
    *(Reason.ACCEPTED, Reason.SCORE, Reason.BORDER, Reason.NEIGHBOUR),
    *(Reason.AREA, Reason.MICROGRAPH),
)
"""What can become of candidates, in the order of the legend."""

_ALWAYS = (Reason.ACCEPTED, Reason.SCORE)
"""Entries of the legend that are there even if nothing is of them."""

_MOST_IN_A_LINE, _N_COLUMNS = 4, 3
"""Entries of the legend: as many in one line, else so many beside each other."""

_CHOSEN = "#FF3030"
_NOTHING = np.empty((0, 2))


class MicrographPlot(MicrographView):
    """A picture with circles, in the colour of what becomes of them.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    box_size : float
        Box size of the picks, pixels.
    """

    def __init__(self, figure: Figure, *, box_size: float):
        super().__init__(figure, box_size=box_size)
        self._picks = PicksShown(np.empty(0, int), _NOTHING, PlacedScores(np.empty(0)))
        self._threshold, self._only = 0.0, None
        diameter = DIAMETER_PER_BOX * box_size
        self._circles = {
            each: self.overlay.add(
                add_circles(self.axes, diameter, REASON_COLOURS[each])
            )
            for each in reversed(SHOWN)  # the accepted ones lie above
        }
        self._chosen = self.overlay.add(add_circles(self.axes, 1.4 * diameter, _CHOSEN))
        self._legend: Legend | None = None
        self._entries: list[Reason] = []
        self._colour()

    def show(
        self, picture: MicrographPicture, picks: PicksShown, threshold: float
    ) -> None:
        """Show another micrograph with its picks."""
        self._picks, self._threshold = picks, threshold
        self._chosen.set_offsets(_NOTHING)
        self._colour()
        self.set_picture(picture)

    def set_threshold(self, threshold: float) -> None:
        """Colour the picks anew."""
        self._threshold = threshold
        self._colour()
        self.overlay.update()

    def show_only(self, reason: Reason | None) -> None:
        """Show the candidates of which this becomes; all if None."""
        self._only = reason
        self._colour()
        self.overlay.update()

    def point_at(self, row: int) -> None:
        """Mark a candidate by a circle of its own, if it is on this micrograph."""
        here = self._picks.yx[self._picks.rows == row]
        self._chosen.set_offsets(here[:, ::-1])
        self.overlay.update()

    def _colour(self) -> None:
        reasons = self._picks.reasons(self._threshold)
        for each, circles in self._circles.items():
            is_shown = self._only in (None, each)
            yx = self._picks.yx[reasons == each] if is_shown else _NOTHING
            circles.set_offsets(yx[:, ::-1])
        counts = {each: int((reasons == each).sum()) for each in SHOWN}
        shown = {each: n for each, n in counts.items() if n or each in _ALWAYS}
        if [*shown] != self._entries:
            self._make_legend(shown)
        for (each, n), text in zip(
            shown.items(), self._legend.get_texts(), strict=True
        ):
            text.set_text(f"{each.label} ({n:,})")

    def _make_legend(self, reasons: Iterable[Reason]) -> None:
        """Make the legend below the axes, with an entry for each of `reasons`."""
        if self._legend is not None:
            self.overlay.remove(self._legend)
        self._entries = [*reasons]
        n_entries = len(self._entries)
        legend = self.axes.legend(
            handles=[
                circle_in_legend(REASON_COLOURS[each], each.label)
                for each in self._entries
            ],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=n_entries if n_entries <= _MOST_IN_A_LINE else _N_COLUMNS,
            columnspacing=0.7,
            handletextpad=0.0,
            borderpad=0.0,
            labelspacing=0.2,
            frameon=False,
            fontsize=FONT - 1,
        )
        self._legend = self.overlay.add(legend)

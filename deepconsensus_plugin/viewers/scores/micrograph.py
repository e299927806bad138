# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrograph with accepted and rejected picks."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deepconsensus_plugin.core.types import DIAMETER_PER_BOX
from deepconsensus_plugin.plots.picture import (
    ACCEPTED,
    REJECTED,
    add_circles,
    circle_in_legend,
)
from deepconsensus_plugin.viewers.micrograph_view import (
    FONT,
    MicrographPicture,
    MicrographView,
)
from deepconsensus_plugin.viewers.scores.overview import PicksShown

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
        self._picks = PicksShown(np.empty(0, int), _NOTHING, np.empty(0))
        diameter = DIAMETER_PER_BOX * box_size
        self._circles = [
            self.overlay.add(add_circles(self.axes, size, colour))
            for size, colour in (
                (diameter, REJECTED),
                (diameter, ACCEPTED),
                (1.4 * diameter, _CHOSEN),
            )
        ]
        self._legend = self.axes.legend(
            handles=[
                circle_in_legend(ACCEPTED, "accepted"),
                circle_in_legend(REJECTED, "rejected"),
            ],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=2,
            frameon=False,
            fontsize=FONT,
        )
        self.overlay.add(self._legend)

    def show(
        self, picture: MicrographPicture, picks: PicksShown, threshold: float
    ) -> None:
        """Show another micrograph with its picks."""
        self._picks = picks
        self._circles[2].set_offsets(_NOTHING)
        self._colour(threshold)
        self.set_picture(picture)

    def set_threshold(self, threshold: float) -> None:
        """Colour the picks anew."""
        self._colour(threshold)
        self.overlay.update()

    def point_at(self, row: int) -> None:
        """Mark a candidate by a circle of its own, if it is on this micrograph."""
        here = self._picks.yx[self._picks.rows == row]
        self._circles[2].set_offsets(here[:, ::-1])
        self.overlay.update()

    def _colour(self, threshold: float) -> None:
        accepted = self._picks.are_accepted(threshold)
        entries = self._legend.get_texts()[::-1]
        for chosen, circles, entry, name in zip(
            (~accepted, accepted),
            self._circles,
            entries,
            ("rejected", "accepted"),
            strict=False,
        ):
            circles.set_offsets(self._picks.yx[chosen][:, ::-1])
            entry.set_text(f"{name} ({chosen.sum():,})")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores with what places say of them: what is kept at any threshold, and how much.

A candidate at a permitted place is kept at every threshold up to its own score, but
above that of its best neighbour. So sums over what is kept are differences of two
cumulative sums, and every threshold costs a binary search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from deepconsensus_plugin.core.acceptance.places import (
    Places,
    are_off_border,
    are_on_good_micrographs,
    are_on_usable_area,
    best_neighbours,
)
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.reasons import UNJUDGED, Reason
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_PERMITS: Mapping[Reason, Callable[[Places, Spacing], BoolArray]] = {
    Reason.MICROGRAPH: are_on_good_micrographs,
    Reason.AREA: are_on_usable_area,
    Reason.BORDER: are_off_border,
}
"""What a place must fulfil, whatever the scores. A new criterion is one line here."""


class PlacedScores:
    """Scores of n candidates, and what their places permit.

    Parameters
    ----------
    score : array, shape (n,)
        NaN where there is none.
    places : Places, optional
        None where they are not known: all are permitted, nobody has a neighbour.
    spacing : Spacing, optional
        Criteria; the default ones if None.

    Attributes
    ----------
    place : array, shape (n,), int
        `Reason` of each place; accepted where it is permitted.
    neighbour : array, shape (n,)
        Best score of its neighbours, permitted or not: a whole particle that overlaps
        one at the edge is not by itself. Minus infinity without one.
    """

    def __init__(
        self,
        score: FloatArray,
        places: Places | None = None,
        spacing: Spacing | None = None,
    ) -> None:
        spacing = spacing or Spacing()
        self.score = score
        self.place: IntArray = np.full(len(score), Reason.ACCEPTED.value)
        self.neighbour: FloatArray = np.full(len(score), -np.inf)
        if places is not None:
            for reason, permits in _PERMITS.items():
                first = self.is_permitted & ~permits(places, spacing)
                self.place[first] = reason
            self.neighbour = best_neighbours(
                places, score, distance_A=spacing.neighbour_A
            )
        self._edges = self._sorted_edges()

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.score)

    @property
    def is_permitted(self) -> BoolArray:
        """Whether the place of each candidate is permitted, shape (n,)."""
        return np.asarray(self.place == Reason.ACCEPTED)

    def reasons(self, threshold: float, rows: IntArray | None = None) -> IntArray:
        """Return the `Reason` of each candidate at a threshold, or of those at rows."""
        some = slice(None) if rows is None else rows
        score, place = self.score[some], self.place[some]
        return np.select(
            [
                np.isin(place, UNJUDGED),
                np.isnan(score),
                score < threshold,
                place != Reason.ACCEPTED,
                self.neighbour[some] >= threshold,
            ],
            [
                *(place, Reason.NO_SCORE, Reason.SCORE),
                *(place, Reason.NEIGHBOUR),
            ],
            Reason.ACCEPTED,
        ).astype(np.intp)

    def n_kept(self, thresholds: FloatArray | float) -> IntArray:
        """Return how many each threshold keeps, in the argument's shape."""
        (count, _), (removed, _) = self._sums(thresholds)
        return np.asarray(count - removed).astype(np.intp)

    def score_kept(self, thresholds: FloatArray | float) -> FloatArray:
        """Return the sum of the scores that each threshold keeps."""
        (_, total), (_, removed) = self._sums(thresholds)
        return np.maximum(total - removed, 0.0)  # rounding

    def _sorted_edges(self) -> list[tuple[FloatArray, FloatArray]]:
        """Return the thresholds up to which candidates pass, and are removed again.

        Ascending, each with the sum of the scores from there to the end.
        """
        rows = np.flatnonzero(self.is_permitted & ~np.isnan(self.score))
        score = self.score[rows]
        edges = []
        for edge in (score, np.minimum(score, self.neighbour[rows])):
            order = np.argsort(edge, kind="stable")
            above = np.cumsum(score[order][::-1])[::-1]
            edges.append((edge[order], np.append(above, 0.0)))
        return edges

    def _sums(
        self, thresholds: FloatArray | float
    ) -> list[tuple[IntArray, FloatArray]]:
        """Return number and sum of scores at or above thresholds, of both edges."""
        sums = []
        for edge, above in self._edges:
            first = np.searchsorted(edge, thresholds, side="left")
            sums.append((np.asarray(len(edge) - first), np.asarray(above[first])))
        return sums

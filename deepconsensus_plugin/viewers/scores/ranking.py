# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranking of candidates by score: which ones a threshold keeps, and the next ones.

Sorted once, so that every question is answered by a binary search.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import FloatArray, IntArray


class Ranking:
    """Candidates from the best score to the worst; a threshold keeps the first ones.

    Parameters
    ----------
    scores : array, shape (n,)
        Higher is better; NaN for candidates without a score, which are never kept.

    Attributes
    ----------
    n_candidates : int
        All of them, n.
    order : array, shape (r,), int
        Rows of `scores` that have one, best first; of equal ones, the first row first.
    scores : array, shape (r,)
        Their scores, descending.
    """

    def __init__(self, scores: FloatArray):
        known = np.flatnonzero(~np.isnan(scores))
        self.n_candidates = len(scores)
        self.order: IntArray = known[np.argsort(-scores[known], kind="stable")]
        self.scores: FloatArray = scores[self.order]
        self._ascending = np.ascontiguousarray(self.scores[::-1])

    def __len__(self) -> int:
        """Return the number of candidates that have a score."""
        return len(self.order)

    def n_kept(self, thresholds: FloatArray | float) -> IntArray:
        """Return how many have each score or a higher one, in the argument's shape."""
        below = np.searchsorted(self._ascending, thresholds, side="left")
        return np.asarray(len(self) - below)

    def first_of_page(self, threshold: float, size: int, *, shift: int = 0) -> int:
        """Return the rank, from 0, that a page around a threshold starts with.

        Parameters
        ----------
        threshold : float
            Lowest score that is kept; half of the page is.
        size : int
            Ranks on a page.
        shift : int
            By how many ranks the page is moved, to worse ones if positive. It never
            leaves the ranks that there are, as long as they fill it.
        """
        middle = int(self.n_kept(threshold)) + shift
        return max(0, min(middle - size // 2, len(self) - size))

    def span(self) -> tuple[float, float]:
        """Return the whole numbers that enclose all scores: 0 and 1, or further out."""
        low, high = (self._ascending[0], self._ascending[-1]) if len(self) else (0, 1)
        return float(np.floor(min(0.0, low))), float(np.ceil(max(1.0, high)))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranking of candidates by score."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import FloatArray, IntArray


class Ranking:
    """Candidates from the best score to the worst.

    Parameters
    ----------
    scores : array, shape (n,)
        Higher is better; NaN for candidates without a score.

    Attributes
    ----------
    order : array, shape (r,), int
        Rows of `scores` that have one, best first; of equal ones, the first row first.
    scores : array, shape (r,)
        Their scores, descending.
    """

    def __init__(self, scores: FloatArray):
        known = np.flatnonzero(~np.isnan(scores))
        self.order: IntArray = known[np.argsort(-scores[known], kind="stable")]
        self.scores: FloatArray = scores[self.order]

    def __len__(self) -> int:
        """Return the number of candidates that have a score."""
        return len(self.order)

    def span(self) -> tuple[float, float]:
        """Return the whole numbers that enclose all scores: 0 and 1, or further out."""
        low, high = (self.scores[-1], self.scores[0]) if len(self) else (0, 1)
        return float(np.floor(min(0.0, low))), float(np.ceil(max(1.0, high)))

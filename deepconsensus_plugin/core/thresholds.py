# SPDX-License-Identifier: GPL-3.0-or-later
"""Which scored candidates to accept.

Nothing is thrown away when scoring, so a selection can be repeated with another
threshold in no time. A candidate without a score (NaN) is never accepted.
"""

from __future__ import annotations

import enum

import numpy as np

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


class ThresholdMode(enum.Enum):
    """How the threshold is found."""

    FIXED = "fixed"
    """A score given by the user."""

    FIRST_N = "first_n"
    """The best n candidates, whatever their score."""


def choose_threshold(
    scores: FloatArray,
    *,
    mode: ThresholdMode = ThresholdMode.FIXED,
    threshold: float = 0.5,
    n_first: int | None = None,
) -> float:
    """Return the lowest score that is accepted.

    Parameters
    ----------
    scores : array, shape (n,)
        Higher is better; NaN for candidates without a score.
    mode : ThresholdMode
        FIXED returns `threshold`; FIRST_N the score of the n-th best candidate.
    threshold : float
        For FIXED; not NaN.
    n_first : int, optional
        For FIRST_N; >= 1. More than there are means all that have a score.

    Returns
    -------
    float
        Infinity for FIRST_N if no candidate has a score: none is accepted.

    Raises
    ------
    ValueError
        If the mode's own option is missing or out of range.
    """
    if mode is ThresholdMode.FIXED:
        if np.isnan(threshold):
            raise ValueError("threshold: expected a number, received NaN")
        return float(threshold)
    ranked = _best_first(scores)[: _checked_number(n_first)]
    return float(scores[ranked[-1]]) if len(ranked) else float("inf")


def select(
    scores: FloatArray,
    *,
    mode: ThresholdMode = ThresholdMode.FIXED,
    threshold: float = 0.5,
    n_first: int | None = None,
) -> BoolArray:
    """Return which candidates are accepted.

    Takes the same arguments, and raises the same errors, as `choose_threshold`.
    FIXED accepts scores equal to the threshold. FIRST_N accepts exactly `n_first`
    (or all that have a score, if fewer); of equal scores the earlier ones.

    Returns
    -------
    array, shape (n,), bool
        True for accepted.
    """
    lowest = choose_threshold(scores, mode=mode, threshold=threshold, n_first=n_first)
    if mode is ThresholdMode.FIXED:
        return np.asarray(scores >= lowest)
    accepted = np.zeros(len(scores), dtype=bool)
    accepted[_best_first(scores)[:n_first]] = True
    return accepted


def _checked_number(n_first: int | None) -> int:
    if n_first is None or n_first < 1:
        raise ValueError(f"n_first must be >= 1, received {n_first}")
    return n_first


def _best_first(scores: FloatArray) -> IntArray:
    """Return the row numbers of scored candidates, best first, ties in order."""
    scored = np.flatnonzero(~np.isnan(scores))
    return scored[np.argsort(-scores[scored], kind="stable")]

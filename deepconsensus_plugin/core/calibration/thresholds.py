# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds on scores, and the candidates that they accept.

Nothing is thrown away when scoring, so a selection can be repeated with another
threshold in no time. A candidate without a score (NaN) is never accepted. The automatic
modes take scores as probabilities (`core.calibration`), and need no truth.
"""

from __future__ import annotations

import enum

import numpy as np

from deepconsensus_plugin.core.calibration.expected import count_expected
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

PUBLISHED_THRESHOLD = 0.5
"""Of the network's own score (the paper, section 2.4)."""


class ThresholdMode(enum.Enum):
    """Rule by which the threshold is chosen."""

    FIXED = "fixed"
    """A score given by the user."""

    FIRST_N = "first_n"
    """The best n candidates, whatever their score."""

    MAX_F = "max_f"
    """The largest expected F-measure; scores are probabilities."""

    MIN_PRECISION = "min_precision"
    """As many as the expected precision allows; scores are probabilities."""


def choose_threshold(
    scores: FloatArray,
    *,
    mode: ThresholdMode = ThresholdMode.FIXED,
    threshold: float = 0.5,
    n_first: int | None = None,
    beta: float = 1.0,
    min_precision: float | None = None,
) -> float:
    """Return the lowest score that is accepted.

    Parameters
    ----------
    scores : array, shape (n,)
        Higher is better; NaN for candidates without a score.
    mode : ThresholdMode
        FIXED returns `threshold`; FIRST_N the score of the n-th best candidate; MAX_F
        and MIN_PRECISION the score at which the expected figure is best, or still met.
    threshold : float
        For FIXED; not NaN.
    n_first : int, optional
        For FIRST_N; >= 1. More than there are means all that have a score.
    beta : float
        For MAX_F; > 0. How many times as much as precision recall counts.
    min_precision : float, optional
        For MIN_PRECISION; 0 - 1.

    Returns
    -------
    float
        Infinity where none is accepted: no candidate has a score, or not even the best
        is expected to be as precise as asked for.

    Raises
    ------
    ValueError
        If the mode's own option is missing or out of range, or scores that must be
        probabilities are not between 0 and 1.
    """
    if mode is ThresholdMode.FIXED:
        if np.isnan(threshold):
            raise ValueError("threshold: expected a number, received NaN")
        return float(threshold)
    if mode is ThresholdMode.MAX_F:
        return _most_f_beta(scores, _checked_beta(beta))
    if mode is ThresholdMode.MIN_PRECISION:
        return _least_precise(scores, _checked_precision(min_precision))
    ranked = _best_first(scores)[: _checked_number(n_first)]
    return float(scores[ranked[-1]]) if len(ranked) else float("inf")


def select(
    scores: FloatArray,
    *,
    mode: ThresholdMode = ThresholdMode.FIXED,
    threshold: float = 0.5,
    n_first: int | None = None,
    beta: float = 1.0,
    min_precision: float | None = None,
) -> BoolArray:
    """Return which candidates are accepted.

    Takes the same arguments, and raises the same errors, as `choose_threshold`.
    Scores equal to the threshold are accepted, except that FIRST_N accepts exactly
    `n_first` (or all that have a score, if fewer); of equal scores the earlier ones.

    Returns
    -------
    array, shape (n,), bool
        True for accepted.
    """
    lowest = choose_threshold(
        scores,
        mode=mode,
        threshold=threshold,
        n_first=n_first,
        beta=beta,
        min_precision=min_precision,
    )
    if mode is not ThresholdMode.FIRST_N:
        return np.asarray(scores >= lowest)
    accepted = np.zeros(len(scores), dtype=bool)
    accepted[_best_first(scores)[:n_first]] = True
    return accepted


def _most_f_beta(probability: FloatArray, beta: float) -> float:
    """Return the highest threshold that has the largest expected F-measure."""
    expected = count_expected(probability[~np.isnan(probability)])
    if not expected.n_particles > 0:
        return float("inf")
    return float(expected.thresholds[np.argmax(expected.f_beta(beta))])


def _least_precise(probability: FloatArray, least: float) -> float:
    """Return the lowest threshold whose expected precision is `least` or more."""
    expected = count_expected(probability[~np.isnan(probability)])
    # The mean of the best probabilities never rises; rounding must not cost the last.
    enough = np.flatnonzero(expected.precision >= least - 1e-9)
    return float(expected.thresholds[enough[-1]]) if len(enough) else float("inf")


def _checked_beta(beta: float) -> float:
    if not 0 < beta < np.inf:
        raise ValueError(f"beta must be > 0, received {beta}")
    return beta


def _checked_precision(min_precision: float | None) -> float:
    if min_precision is None or not 0 <= min_precision <= 1:
        raise ValueError(
            f"min_precision must be between 0 and 1, received {min_precision}"
        )
    return min_precision


def _checked_number(n_first: int | None) -> int:
    if n_first is None or n_first < 1:
        raise ValueError(f"n_first must be >= 1, received {n_first}")
    return n_first


def _best_first(scores: FloatArray) -> IntArray:
    """Return the row numbers of scored candidates, best first, ties in order."""
    scored = np.flatnonzero(~np.isnan(scores))
    return scored[np.argsort(-scores[scored], kind="stable")]

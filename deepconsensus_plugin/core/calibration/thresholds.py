# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds on scores, and the candidates that they accept.

Scoring discards nothing, so a selection can be repeated with another threshold in no
time. A candidate without a score (NaN) is never accepted. The automatic modes take
scores as probabilities (`core.calibration`), and need no truth.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.calibration.expected import count_expected
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

PUBLISHED_THRESHOLD = 0.5
"""Threshold on the network's own score (the paper, section 2.4)."""


class ThresholdMode(enum.Enum):
    """Rule by which the threshold is chosen."""

    FIXED = "fixed"
    """A score given by the user."""

    FIRST_N = "first_n"
    """The best n candidates, whatever their score."""

    MAX_F = "max_f"
    """The largest expected F-measure; scores are probabilities."""

    MIN_PRECISION = "min_precision"
    """Lowest threshold with at least this expected precision; for probabilities."""


@dataclass(frozen=True)
class ThresholdRule:
    """Rule that tells the lowest score to accept.

    Parameters
    ----------
    mode : ThresholdMode
        FIXED takes `threshold`; FIRST_N the score of the n-th best candidate; MAX_F
        and MIN_PRECISION the score at which the expected figure is best, or still met.
    threshold : float
        For FIXED; not NaN.
    n_first : int, optional
        For FIRST_N; >= 1. More than there are means all that have a score.
    beta : float
        For MAX_F; > 0. How many times as much as precision recall counts.
    min_precision : float, optional
        For MIN_PRECISION; 0 - 1.

    Raises
    ------
    ValueError
        If what the mode needs is missing or out of range. What it does not need is not
        looked at.
    """

    mode: ThresholdMode = ThresholdMode.FIXED
    threshold: float = PUBLISHED_THRESHOLD
    n_first: int | None = None
    beta: float = 1.0
    min_precision: float | None = None

    def __post_init__(self) -> None:
        """Check what the mode needs, once, at the door."""
        if self.mode is ThresholdMode.FIXED and np.isnan(self.threshold):
            raise ValueError("threshold: expected a number, received NaN")
        if self.mode is ThresholdMode.FIRST_N:
            if self.n_first is None or self.n_first < 1:
                raise ValueError(f"n_first must be >= 1, received {self.n_first}")
        if self.mode is ThresholdMode.MAX_F and not 0 < self.beta < np.inf:
            raise ValueError(f"beta must be > 0, received {self.beta}")
        if self.mode is ThresholdMode.MIN_PRECISION:
            if self.min_precision is None or not 0 <= self.min_precision <= 1:
                raise ValueError(
                    "min_precision must be between 0 and 1, "
                    f"received {self.min_precision}"
                )

    def for_scores(self, *, are_probabilities: bool) -> ThresholdRule:
        """Return the rule to use on scores of one kind.

        The largest F-measure can be expected of probabilities only: of the network's
        own scores, the automatic threshold is the published one.
        """
        if self.mode is ThresholdMode.MAX_F and not are_probabilities:
            return ThresholdRule()
        return self


PUBLISHED = ThresholdRule()
"""Rule of the paper."""

AUTOMATIC = ThresholdRule(ThresholdMode.MAX_F)
"""Rule that needs no choice: the largest expected F1."""


def choose_threshold(scores: FloatArray, rule: ThresholdRule = PUBLISHED) -> float:
    """Return the lowest score that is accepted.

    Parameters
    ----------
    scores : array, shape (n,)
        Higher is better; NaN for candidates without a score.
    rule : ThresholdRule
        What is accepted.

    Returns
    -------
    float
        Infinity where none is accepted: no candidate has a score, or not even the best
        is expected to be as precise as asked for.

    Raises
    ------
    ValueError
        If scores that must be probabilities are not between 0 and 1.
    """
    if rule.mode is ThresholdMode.FIXED:
        return float(rule.threshold)
    if rule.mode is ThresholdMode.MAX_F:
        return _most_f_beta(scores, rule.beta)
    if rule.mode is ThresholdMode.MIN_PRECISION:
        return _least_precise(scores, rule.min_precision or 0.0)
    ranked = _best_first(scores)[: rule.n_first]
    return float(scores[ranked[-1]]) if len(ranked) else float("inf")


def select(scores: FloatArray, rule: ThresholdRule = PUBLISHED) -> BoolArray:
    """Return which candidates are accepted.

    Takes the same arguments, and raises the same errors, as `choose_threshold`.
    Scores equal to the threshold are accepted, except that FIRST_N accepts exactly
    `n_first` (or all that have a score, if fewer); of equal scores the earlier ones.

    Returns
    -------
    array, shape (n,), bool
        True for accepted.
    """
    if rule.mode is not ThresholdMode.FIRST_N:
        return np.asarray(scores >= choose_threshold(scores, rule))
    accepted = np.zeros(len(scores), dtype=bool)
    accepted[_best_first(scores)[: rule.n_first]] = True
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


def _best_first(scores: FloatArray) -> IntArray:
    """Return the row numbers of scored candidates, best first, ties in order."""
    scored = np.flatnonzero(~np.isnan(scores))
    return scored[np.argsort(-scores[scored], kind="stable")]

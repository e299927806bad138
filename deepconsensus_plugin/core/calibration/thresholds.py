# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds on scores, and the candidates that they accept.

Scoring discards nothing, so a selection can be repeated with another threshold in no
time. A candidate without a score (NaN) is never accepted. The automatic modes take
scores as probabilities (`core.calibration`), and need no truth.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from deepconsensus_plugin.core.calibration.expected import count_expected
from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.published import Published
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

PUBLISHED_THRESHOLD = 0.5
"""Threshold on the network's own score (the paper, section 2.1)."""


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
class ThresholdRule(Declared):
    """Rule for the lowest score to accept.

    Parameters that the mode does not need are ignored.
    """

    mode: ThresholdMode = field(
        default=ThresholdMode.FIXED,
        metadata=declare(
            "Select by",
            "*Auto (best F1)*: the score cutoff with the best expected F1, the "
            "balance of precision and recall. If scores are the network's own, not "
            "probabilities, the cutoff is {threshold}.\n"
            "*Target precision*: the lowest cutoff whose expected precision is at "
            "least the target.\n"
            "*Score cutoff*: all particles with the given score or a higher one.\n"
            "*Top N*: the given number of particles with the best scores.",
        ),
    )
    threshold: float = field(
        default=PUBLISHED_THRESHOLD,
        metadata=declare(
            "Score cutoff",
            "Particles with this score or a higher one are kept. Scores go from 0 "
            "(background) to 1 (particle). Raise the cutoff to remove more false "
            "particles, lower it to lose fewer true ones; {threshold} is the "
            "published choice.\n"
            "The wand shows the distribution of scores and how many particles "
            "remain.",
            shown_if=("mode", ThresholdMode.FIXED),
            may_be_infinite=True,
        ),
    )
    n_first: int | None = field(
        default=None,
        metadata=declare(
            "Number of particles",
            "Number of particles to keep, of those that may lie where they lie (see "
            "below). If there are fewer, all with a score are kept; fewer remain if "
            "particles that are too close to each other are removed. Among equal "
            "scores, the first in the set are kept.",
            shown_if=("mode", ThresholdMode.FIRST_N),
            ge=1,
        ),
    )
    beta: float = field(
        default=1.0,
        metadata=declare(
            "Recall weight (beta)",
            "How many times as much as precision recall counts in the automatic "
            "cutoff: 2 loses fewer particles, 0.5 lets fewer false ones in.",
            is_expert=True,
            shown_if=("mode", ThresholdMode.MAX_F),
            gt=0,
        ),
    )
    min_precision: float | None = field(
        default=None,
        metadata=declare(
            "Target precision",
            "Fraction of true particles that is expected among those kept, 0 to 1.",
            shown_if=("mode", ThresholdMode.MIN_PRECISION),
            ge=0,
            le=1,
        ),
    )

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "mode": Published(
            ThresholdMode.FIXED, '2.1: "in the absence of any a priori information"'
        ),
        "threshold": Published(
            PUBLISHED_THRESHOLD, '2.1: "greater than or equal to 0.5"'
        ),
    }

    def conflicts(self) -> list[str]:
        """Return the problem of a number that the mode needs and that is missing."""
        if self.mode is ThresholdMode.FIXED and np.isnan(self.threshold):
            return ["Score cutoff (threshold): it must be a number, received nan"]
        if self.mode is ThresholdMode.FIRST_N and self.n_first is None:
            return ["Number of particles (n_first): it must be given, received None"]
        if self.mode is ThresholdMode.MIN_PRECISION and self.min_precision is None:
            return ["Target precision (min_precision): it must be given, received None"]
        return []

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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Acceptance of candidates: the only meaning of "accepted".

Selections, windows, exports, reports and summaries ask `accept`, or, at many
thresholds, `PlacedScores`, which it asks itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.acceptance.expectation import (
    check_precision_is_told,
    expect,
)
from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import (
    AcceptanceSummary,
    count_reasons,
)
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    choose_threshold,
    select,
)
from deepconsensus_plugin.core.kinds import count_kinds
from deepconsensus_plugin.core.reasons import BY_SCORE, Reason
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Acceptance:
    """Result of a rule for n candidates.

    Parameters
    ----------
    score : array, shape (n,)
        NaN where there is none.
    reason : array, shape (n,), int
        Codes of `Reason`.
    threshold : float
        Lowest score that is good enough; infinity where none is.
    rule : AcceptanceRule, optional
        The rule; None where it is not known.
    are_probabilities : bool
        Whether scores are probabilities, not the network's own.
    """

    score: FloatArray
    reason: IntArray
    threshold: float
    rule: AcceptanceRule | None
    are_probabilities: bool

    @property
    def accepted(self) -> BoolArray:
        """Mask of the accepted candidates, shape (n,)."""
        return np.asarray(self.reason == Reason.ACCEPTED)

    def summarise(
        self, report: CalibrationReport | None = None, kind: IntArray | None = None
    ) -> AcceptanceSummary:
        """Return numbers and expected figures.

        `report` gives the intervals, or the reason why nothing is expected; `kind` the
        codes of `Kind`, shape (n,), where candidates were averaged.
        """
        expected, why = None, None if report is None else report.why_withheld
        if self.are_probabilities and why is None:
            expected = expect(self.score, self.accepted, self.threshold, report)
        by_score = self.reason == Reason.SCORE
        return AcceptanceSummary(
            *(count_reasons(self.reason), self.threshold, self.rule, expected, why),
            kinds={} if kind is None else count_kinds(kind[by_score]),
        )


def accept(
    rule: AcceptanceRule,
    score: FloatArray,
    places: Places | None = None,
    *,
    are_probabilities: bool = True,
    report: CalibrationReport | None = None,
) -> Acceptance:
    """Return what a rule accepts of n candidates, and why the others are not.

    The threshold is chosen among candidates at permitted places; so the first N are N
    particles, unless some of them are too close to each other.

    Parameters
    ----------
    rule : AcceptanceRule
        The rule.
    score : array, shape (n,)
        NaN where there is none.
    places : Places, optional
        n. None where they are not known; then the score alone decides.
    are_probabilities : bool
        Whether scores are; if not, the automatic threshold is the published one.
    report : CalibrationReport, optional
        Tells whether a precision can be asked for.

    Raises
    ------
    WithheldError
        If the rule asks for a precision, and the report withholds it.
    ValueError
        If scores that must be probabilities are not between 0 and 1.
    """
    check_precision_is_told(rule.threshold, report)
    placed = PlacedScores(score, places, rule.spacing)
    return accept_placed(rule, placed, are_probabilities=are_probabilities)


def accept_placed(
    rule: AcceptanceRule, placed: PlacedScores, *, are_probabilities: bool
) -> Acceptance:
    """Return what `accept` does, of scores that were placed by the rule's spacing."""
    score = placed.score
    chosen = rule.threshold.for_scores(are_probabilities=are_probabilities)
    rows = np.flatnonzero(placed.is_permitted)
    threshold = choose_threshold(score[rows], chosen)
    reason = placed.reasons(threshold)
    if chosen.mode is ThresholdMode.FIRST_N:  # which may have some of equal scores
        is_left_over = ~select(score[rows], chosen) & ~np.isin(reason[rows], BY_SCORE)
        reason[rows[is_left_over]] = Reason.SCORE
    return Acceptance(score, reason, threshold, rule, are_probabilities)

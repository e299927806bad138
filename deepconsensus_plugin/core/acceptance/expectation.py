# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected precision and recall of what is kept, where scores are probabilities.

The expected number of particles among candidates is the sum of their probabilities
(`core.calibration.expected`), so values are exact for any set that is kept. Intervals
are those of the `CalibrationReport`, which has them where the score alone decides:
how far they reach there, at the same threshold, is added to the exact value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
)
from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
)
from deepconsensus_plugin.core.errors import WithheldError
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_SAME_SUM = 1e-3
"""Relative difference of expected particles up to which a report is of these scores:
a set keeps its scores as decimal numbers."""


class Curve(NamedTuple):
    """A figure at t thresholds with the ends of its interval; NaN where unknown."""

    value: FloatArray
    low: FloatArray
    high: FloatArray

    def at(self, index: int) -> EstimatedFigure:
        """Return the figure at one of the thresholds."""
        return EstimatedFigure(*(float(column[index]) for column in self))


@dataclass(frozen=True)
class ExpectedFigures:
    """Expected figures of what is kept.

    Parameters
    ----------
    precision : EstimatedFigure
        Share of particles among what is kept; NaN if nothing is.
    recall : EstimatedFigure
        Share that is kept of the particles among all candidates.
    n_particles : float
        Expected number of particles among all candidates; NaN if not known.
    """

    precision: EstimatedFigure
    recall: EstimatedFigure
    n_particles: float

    @property
    def has_intervals(self) -> bool:
        """Whether they have intervals (a single micrograph gives none)."""
        return not np.isnan(self.recall.low)

    def describe(self) -> str:
        """Return the figures as a sentence."""
        level = " (95 % intervals)" if self.has_intervals else ""
        known = not np.isnan(self.n_particles)  # not of runs of early versions
        number = f"about {self.n_particles:.0f}" if known else "the"
        return (
            f"Expected of what is kept: precision {_describe(self.precision)}, recall "
            f"{_describe(self.recall)} of {number} particles among the candidates"
            f"{level}."
        )


def check_precision_is_told(
    rule: ThresholdRule, report: CalibrationReport | None
) -> None:
    """Raise WithheldError if a rule asks for a precision that is withheld."""
    why = None if report is None else report.why_withheld
    if why is not None and rule.mode is ThresholdMode.MIN_PRECISION:
        raise WithheldError(describe_refusal(why))


def describe_refusal(why: str) -> str:
    """Return why no threshold can be chosen by its expected precision."""
    return (
        f"Target precision (min_precision): no precision is expected of these scores. "
        f"{why} Select by another rule."
    )


def describe_withheld(why: str) -> str:
    """Return that nothing is expected of what is kept, and why."""
    return f"WARNING: precision and recall are not estimated. {why}"


def _describe(figure: EstimatedFigure) -> str:
    return "not defined" if np.isnan(figure.value) else figure.describe()


def expect(
    probability: FloatArray,
    accepted: BoolArray,
    threshold: float,
    report: CalibrationReport | None = None,
) -> ExpectedFigures:
    """Return the expected figures of what is kept of n candidates.

    Parameters
    ----------
    probability : array, shape (n,)
        NaN for candidates that have none; they are not accepted.
    accepted : array, shape (n,), bool
        What is kept.
    threshold : float
        Lowest probability that is good enough.
    report : CalibrationReport, optional
        Gives the intervals, if it is of these candidates.
    """
    n_particles = float(np.nansum(probability))
    precision, recall = _curves(
        np.array([threshold]),
        np.array([probability[accepted].sum()]),
        np.array([accepted.sum()]),
        n_particles,
        _fitting(report, probability),
    )
    return ExpectedFigures(precision.at(0), recall.at(0), n_particles)


class Expectation:
    """Expected figures at any threshold.

    Parameters
    ----------
    placed : PlacedScores
        Its scores are probabilities.
    report : CalibrationReport, optional
        Gives the intervals, if it is of these candidates.
    """

    def __init__(
        self, placed: PlacedScores, report: CalibrationReport | None = None
    ) -> None:
        self._placed, self._report = placed, _fitting(report, placed.score)
        self._n_particles = float(np.nansum(placed.score))

    def at(self, threshold: float) -> ExpectedFigures:
        """Return the figures of what one threshold keeps."""
        precision, recall = self.curves(np.array([threshold]))
        return ExpectedFigures(precision.at(0), recall.at(0), self._n_particles)

    def curves(self, thresholds: FloatArray) -> tuple[Curve, Curve]:
        """Return expected precision and recall at t thresholds."""
        return _curves(
            thresholds,
            self._placed.score_kept(thresholds),
            self._placed.n_kept(thresholds),
            self._n_particles,
            self._report,
        )


def _fitting(
    report: CalibrationReport | None, probability: FloatArray
) -> CalibrationReport | None:
    """Return a report if it speaks of exactly these candidates.

    A part of them, as a selection makes it, has the same probabilities, but other
    sums and other intervals.
    """
    n_known = int(np.isfinite(probability).sum())
    if report is None or report.n_candidates != n_known:
        return None
    expected = float(np.nansum(probability))
    difference = abs(report.n_particles - expected)
    return report if difference <= _SAME_SUM * max(1.0, expected) else None


def _curves(
    thresholds: FloatArray,
    n_true: FloatArray,
    n_kept: IntArray,
    n_particles: float,
    report: CalibrationReport | None,
) -> tuple[Curve, Curve]:
    """Return precision and recall of what t thresholds keep."""
    precision = _share(n_true, n_kept)
    recall = _share(n_true, np.full(n_true.shape, n_particles))
    if report is None:
        unknown = np.full(n_true.shape, np.nan)
        return Curve(precision, unknown, unknown), Curve(recall, unknown, unknown)
    return (
        _with_interval(precision, thresholds, report.thresholds, report.precision),
        _with_interval(recall, thresholds, report.thresholds, report.recall),
    )


def _with_interval(
    value: FloatArray,
    thresholds: FloatArray,
    known_at: list[float],
    figures: list[EstimatedFigure],
) -> Curve:
    """Return a value with the reach of the report's interval, which is every 0.01."""
    own = np.array([figure.value for figure in figures])
    ends = []
    for end in ("low", "high"):
        reach = np.array([getattr(figure, end) for figure in figures]) - own
        here = np.interp(thresholds, known_at, reach)
        ends.append(np.clip(value + here, 0, 1))
    return Curve(value, *ends)


def _share(part: FloatArray, whole: FloatArray | IntArray) -> FloatArray:
    """Return the ratio, NaN of nothing; the same in whatever order was summed."""
    nothing = np.full(np.shape(part), np.nan)
    share = np.divide(part, whole, out=nothing, where=np.asarray(whole) > 0)
    return np.asarray(np.round(share, 12))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected precision and recall at any threshold, where scores are probabilities.

The expected number of particles among candidates is the sum of their probabilities
(`core.calibration.expected`); over a ranking, every threshold is a cumulative sum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
)
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.viewers.scores.ranking import Ranking

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


class Expectation:
    """Expected figures of the candidates that a threshold keeps, without truth.

    Parameters
    ----------
    ranking : Ranking
        Its scores are probabilities.
    report : CalibrationReport, optional
        Report of the same candidates (`is_report_of`); it gives the intervals.
    """

    def __init__(self, ranking: Ranking, report: CalibrationReport | None = None):
        self._ranking = ranking
        self._n_true = np.concatenate([[0.0], np.cumsum(ranking.scores)])
        self._report = report

    @property
    def n_particles(self) -> float:
        """Expected number of particles among the candidates."""
        return float(self._n_true[-1])

    @property
    def has_intervals(self) -> bool:
        """Whether any threshold has an interval (a single micrograph gives none)."""
        figures = self._report.precision if self._report else []
        return any(not np.isnan(figure.low) for figure in figures)

    def precision(self, thresholds: FloatArray) -> Curve:
        """Return the share of particles among what is kept; NaN if nothing is."""
        n_kept = self._ranking.n_kept(thresholds)
        figures = self._report.precision if self._report else []
        return self._curve(thresholds, _share(self._n_true[n_kept], n_kept), figures)

    def recall(self, thresholds: FloatArray) -> Curve:
        """Return the share that is kept of the particles among the candidates."""
        n_true = self._n_true[self._ranking.n_kept(thresholds)]
        figures = self._report.recall if self._report else []
        whole = np.full(n_true.shape, self.n_particles)
        return self._curve(thresholds, _share(n_true, whole), figures)

    def _curve(
        self, thresholds: FloatArray, value: FloatArray, figures: list[EstimatedFigure]
    ) -> Curve:
        """Add the intervals, which a report has every 0.01, to the exact `value`."""
        if self._report is None:
            unknown = np.full(value.shape, np.nan)
            return Curve(value, unknown, unknown)
        own = np.array([figure.value for figure in figures])
        ends = []
        for end in ("low", "high"):
            reach = np.array([getattr(figure, end) for figure in figures]) - own
            here = np.interp(thresholds, self._report.thresholds, reach)
            ends.append(np.clip(value + here, 0, 1))
        return Curve(value, *ends)


def is_report_of(report: CalibrationReport, ranking: Ranking) -> bool:
    """Return whether a report speaks of exactly these candidates.

    A part of them, as a selection makes it, has the same probabilities, but other
    sums and other intervals.
    """
    expected = float(ranking.scores.sum())
    difference = abs(report.n_particles - expected)
    return (
        report.n_candidates == ranking.n_candidates
        and difference <= _SAME_SUM * max(1.0, expected)
    )


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    nothing = np.full(np.shape(part), np.nan)
    return np.divide(part, whole, out=nothing, where=np.asarray(whole) > 0)

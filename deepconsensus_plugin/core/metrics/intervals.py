# SPDX-License-Identifier: GPL-3.0-or-later
"""Bootstrap intervals of detection metrics, drawn by micrograph.

Particles of one micrograph share its ice, defocus and crowding, so whole micrographs
are drawn with replacement, not particles. Matching is not repeated: only counts are
drawn again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.metrics.bootstrap import draw_micrographs
from deepconsensus_plugin.core.metrics.classification import (
    ThresholdCounts,
    average_precision,
    rank_scores,
)
from deepconsensus_plugin.core.metrics.detection_metrics import precision_recall_f1
from deepconsensus_plugin.core.metrics.detections import MatchedPicks
from deepconsensus_plugin.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class Interval:
    """Confidence interval of a metric; NaN where it is not defined."""

    low: float
    high: float

    def to_list(self) -> list[float | None]:
        """Return what ``metrics.json`` holds: both ends, None where not defined."""
        return [None if math.isnan(end) else end for end in (self.low, self.high)]


def bootstrap_intervals(
    matched: MatchedPicks,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Return percentile intervals of the pooled figures, and of means over micrographs.

    Parameters
    ----------
    matched : MatchedPicks
        What `core.metrics.detections.match_picks` returned.
    rng : numpy.random.Generator
        Draws the micrographs.
    n_resamples : int
        How many sets of micrographs are drawn; >= 1.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    dict of str to Interval
        For ``precision``, ``recall``, ``f1``, each also with ``mean_`` before it (as in
        `DetectionMetrics`), and ``average_precision``. NaN for fewer than two
        micrographs, from which no spread can be estimated.

    Raises
    ------
    ValueError
        If `n_resamples` or `level` is out of range.
    """
    if n_resamples < 1 or not 0 < level < 1:
        raise ValueError(
            "expected n_resamples >= 1 and level between 0 and 1, "
            f"received {n_resamples} and {level}"
        )
    drawn = draw_micrographs(len(matched.micrographs), n_resamples, rng)
    counts = (
        matched.count(matched.is_accepted & matched.is_match),
        matched.count(matched.is_accepted),
        matched.n_truth,
    )
    samples = precision_recall_f1(*(drawn @ count for count in counts))
    for name, values in precision_recall_f1(*counts).items():
        samples[f"mean_{name}"] = _means_of_defined(values, drawn)
    samples["average_precision"] = _average_precisions(matched, drawn)
    return {name: _percentiles(values, level) for name, values in samples.items()}


def resample_average_precision(
    matched: MatchedPicks, *, rng: np.random.Generator, n_resamples: int = 1000
) -> FloatArray:
    """Return the average precision of sets of micrographs drawn with replacement.

    Parameters
    ----------
    matched : MatchedPicks
        What was matched, of two micrographs or more.
    rng : numpy.random.Generator
        Draws the micrographs: the same ones for the same seed and number of them, so
        that two pickers can be compared draw by draw.
    n_resamples : int
        How many sets.

    Returns
    -------
    array, shape (n_resamples,)
        NaN where no drawn micrograph has a true particle; empty for fewer than two
        micrographs.
    """
    drawn = draw_micrographs(len(matched.micrographs), n_resamples, rng)
    return _average_precisions(matched, drawn)


def _means_of_defined(values: FloatArray, drawn: IntArray) -> FloatArray:
    """Return the mean over each row of drawn micrographs, shape (r,); NaN of none."""
    is_defined = ~np.isnan(values)
    total = drawn @ np.where(is_defined, values, 0.0)
    count = drawn @ is_defined
    return np.divide(total, count, out=np.full(len(drawn), np.nan), where=count > 0)


def _average_precisions(matched: MatchedPicks, drawn: IntArray) -> FloatArray:
    """Return the average precision of each row of `drawn`, shape (r,)."""
    scored = np.flatnonzero(~np.isnan(matched.scores))
    if not len(scored):
        return np.full(len(drawn), np.nan)
    order, last = rank_scores(matched.scores[scored])
    ranked = scored[order]
    thresholds = matched.scores[ranked][last]
    index, is_match = matched.micrograph_index[ranked], matched.is_match[ranked]
    found = np.empty(len(drawn))
    for row, times in enumerate(drawn):
        weights = times[index]
        counts = ThresholdCounts(
            thresholds=thresholds,
            n_accepted=np.cumsum(weights)[last],
            n_true=np.cumsum(weights * is_match)[last],
        )
        found[row] = average_precision(counts, times @ matched.n_truth)
    return found


def _percentiles(values: FloatArray, level: float) -> Interval:
    defined = values[~np.isnan(values)]
    if not len(defined):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected figures of pickers and of a set, with intervals, from probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.expected import count_expected_above
from deepconsensus_plugin.core.calibration.latent_trait_fit import LatentTraitFit
from deepconsensus_plugin.core.calibration.memberships import blocks_of
from deepconsensus_plugin.core.types import FloatArray

THRESHOLDS = np.linspace(0, 1, 101)
"""Thresholds at which expected figures are computed."""

OF_PICKERS = ("picker_precision", "picker_recall", "found_alone")
"""Figures of each picker."""
_COUNTS = ("found_alone", "n_missed")
"""Figures that are numbers of particles, not shares."""

Figures = Mapping[str, FloatArray]
"""Figures by name, those of `estimate_figures`."""
Shifts = Mapping[str, tuple[FloatArray, FloatArray]]
"""How far each figure moves down and up; both are >= 0."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimate, a number or an array, with its interval (NaN if unknown)."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


def estimate_figures(
    evidence: Evidence,
    selecting: FloatArray,
    probability: FloatArray,
    *,
    weights: FloatArray,
    n_missed: float,
) -> dict[str, FloatArray]:
    """Return all figures of one set of n candidates.

    Parameters
    ----------
    evidence : Evidence
        n candidates.
    selecting, probability : arrays, shape (n,)
        Probability by which candidates are selected, and the one that is expected of
        them: two estimates in a bootstrap.
    weights : array, shape (n,)
        How often each candidate counts.
    n_missed : float
        Expected number of particles that nobody found.
    """
    expected = weights * probability
    n_true, n_found, n_seen, alone = (
        sum(parts)
        for parts in zip(
            *(
                _count_in(evidence.part(rows), expected[rows], weights[rows])
                for rows in blocks_of(len(evidence))
            ),
            strict=True,
        )
    )
    counts = count_expected_above(
        THRESHOLDS, selecting, probability=probability, weights=weights
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "picker_precision": n_true / n_found,
            "picker_recall": n_true / n_seen,
            "found_alone": alone,
            "precision": counts.precision,
            "recall": counts.recall,
            "n_missed": np.asarray(n_missed),
        }


def _count_in(
    evidence: Evidence, expected: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return particles and candidates found, particles to find, and found alone."""
    found = evidence.found.astype(np.float64)
    is_alone = evidence.found.sum(axis=1) == 1
    return (
        expected @ found,
        weights @ found,
        expected @ evidence.observed,
        (expected * is_alone) @ found,
    )


def figures_of(
    evidence: Evidence, fit: LatentTraitFit, refit: LatentTraitFit, weights: FloatArray
) -> dict[str, FloatArray]:
    """Return all figures of one sample: selected by `fit`, expected by `refit`."""
    return estimate_figures(
        evidence,
        fit.probability,
        refit.probability,
        weights=weights,
        n_missed=refit.n_missed,
    )


def estimate_intervals(
    best: Figures,
    samples: Sequence[Figures],
    shifts: Sequence[Shifts],
    *,
    level: float,
    values: Figures | None = None,
) -> dict[str, Estimate]:
    """Return figures with intervals that cover samples and shifts.

    Parameters
    ----------
    best : mapping of name to array
        Figures that samples and shifts are compared with.
    samples : sequence of figures
        Those of resampled micrographs; none gives no intervals.
    shifts : sequence of shifts
        Added in quadrature.
    level : float
        Confidence, between 0 and 1.
    values : figures, optional
        Values to tell, around which the intervals reach as far; default `best`.
    """
    return {
        name: _moved(
            _widen(
                _estimate(value, [sample[name] for sample in samples], level),
                [each[name] for each in shifts],
                most=(most := np.inf if name in _COUNTS else 1.0),
            ),
            None if values is None else values[name],
            most=most,
        )
        for name, value in best.items()
    }


def _moved(estimate: Estimate, value: FloatArray | None, most: float) -> Estimate:
    """Return an estimate about another value, from 0 to `most`."""
    if value is None:
        return estimate
    return Estimate(
        value,
        np.clip(value - (estimate.value - estimate.low), 0, most),
        np.clip(value + (estimate.high - estimate.value), 0, most),
    )


def _widen(
    estimate: Estimate, shifts: Sequence[tuple[FloatArray, FloatArray]], most: float
) -> Estimate:
    """Return an estimate, from 0 to `most`, whose interval also covers shifts."""
    low = (estimate.value - estimate.low) ** 2
    high = (estimate.high - estimate.value) ** 2
    for down, up in shifts:
        low, high = low + down**2, high + up**2
    return Estimate(
        estimate.value,
        np.clip(estimate.value - np.sqrt(low), 0, most),
        np.clip(estimate.value + np.sqrt(high), 0, most),
    )


def _estimate(
    value: FloatArray, samples: Sequence[FloatArray], level: float
) -> Estimate:
    if not samples:
        unknown = np.full_like(value, np.nan)
        return Estimate(value, unknown, unknown)
    # Where a sample does not define a figure (nothing accepted), neither is its end.
    low, high = np.quantile(
        np.stack(samples), [(1 - level) / 2, (1 + level) / 2], axis=0
    )
    return Estimate(value, low, high)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion of votes and scores: probabilities, expected figures and their intervals.

Intervals add four uncertainties in quadrature: percentiles over bootstrap samples of
*micrographs*, to each of which the model is fitted again; and the farthest that a
figure moves with other priors, with one picker fewer, and with other levels of averages
(`alternatives`). They do not cover what is wrong with all of these models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.calibration.alternatives import (
    Alternative,
    fit_other_priors,
    fit_without_each,
    shift_levels,
)
from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.expected import (
    ExpectedCounts,
    count_expected_above,
)
from deepconsensus_plugin.core.calibration.latent_trait import LatentTraitModel
from deepconsensus_plugin.core.calibration.latent_trait_fit import LatentTraitFit
from deepconsensus_plugin.core.calibration.parameters import Priors
from deepconsensus_plugin.core.calibration.separation import separation_by_scores
from deepconsensus_plugin.core.metrics.bootstrap import draw_micrographs
from deepconsensus_plugin.core.types import FloatArray, IntArray

THRESHOLDS = np.linspace(0, 1, 101)
"""Thresholds at which expected figures are computed."""
_REFIT_ITERATIONS = 30
"""Iterations of a resampled fit, which starts from the parameters of all micrographs;
afterwards few figures change by more than 0.01."""

_OF_PICKERS = ("picker_precision", "picker_recall", "found_alone")
"""Figures of each picker."""
_COUNTS = ("found_alone", "n_missed")
"""Figures that are numbers of particles, not shares."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimate, a number or an array, with its interval (NaN if unknown)."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class Fusion:
    """Result of a fusion of n candidates and k pickers, at t = 101 thresholds.

    Parameters
    ----------
    probability : array, shape (n,)
        Probability that each candidate is a particle.
    picker_precision : Estimate, shape (k,)
        Expected share of particles among the candidates that a picker found.
    picker_recall : Estimate, shape (k,)
        Expected share that it found of the particles among the candidates, on the
        micrographs where it was run.
    found_alone : Estimate, shape (k,)
        Expected number of particles that no other picker found.
    thresholds : array, shape (t,)
        Probabilities from 0 to 1.
    precision, recall : Estimate, shape (t,)
        Expected, where candidates at or above the threshold are accepted; recall is
        relative to the particles among the candidates.
    n_missed : Estimate, shape ()
        Expected number of particles that no picker found: an extrapolation, which holds
        if the latent trait is normal, acts on all pickers alike, and is the only reason
        why their votes are correlated.
    fit : LatentTraitFit
        The model.
    separation : float, optional
        Largest distance of the mean of particles from that of the rest, among the kinds
        of score, in deviations; None where no candidates differ in any score.
    """

    probability: FloatArray
    picker_precision: Estimate
    picker_recall: Estimate
    found_alone: Estimate
    thresholds: FloatArray
    precision: Estimate
    recall: Estimate
    n_missed: Estimate
    fit: LatentTraitFit
    separation: float | None = None


def fuse(
    evidence: Evidence,
    *,
    rng: np.random.Generator,
    n_resamples: int = 50,
    level: float = 0.95,
    priors: Priors | None = None,
) -> Fusion:
    """Return probabilities of candidates and the expected figures, without any truth.

    Parameters
    ----------
    evidence : Evidence
        n candidates, n >= 1.
    rng : numpy.random.Generator
        Generator of the bootstrap samples.
    n_resamples : int
        Number of bootstrap samples of micrographs. There are no intervals for 0, nor
        for a single micrograph.
    level : float
        Confidence, between 0 and 1.
    priors : Priors, optional
        The defaults serve all sets.

    Raises
    ------
    ValueError
        If there is no candidate, or `n_resamples` or `level` is out of range.
    """
    if n_resamples < 0 or not 0 < level < 1:
        raise ValueError(
            "expected n_resamples >= 0 and level between 0 and 1, "
            f"received {n_resamples} and {level}"
        )
    priors = Priors() if priors is None else priors
    model = LatentTraitModel(evidence, priors=priors)
    fit = model.fit()
    best = _estimate_sample(evidence, fit, fit, np.ones(len(evidence)))
    samples = []
    for weights in _draw_weights(evidence.micrograph_index, n_resamples, rng):
        refit = model.fit(
            weights=weights, start=fit.parameters, max_iterations=_REFIT_ITERATIONS
        )
        samples.append(_estimate_sample(evidence, fit, refit, weights))
    shifts = []
    if samples:
        shifts = [
            _farthest_shifts(best, alternatives(evidence, fit, priors))
            for alternatives in (fit_other_priors, fit_without_each, shift_levels)
        ]
    figures = {
        name: _widen(
            _estimate(value, [sample[name] for sample in samples], level),
            [each[name] for each in shifts],
            most=np.inf if name in _COUNTS else 1.0,
        )
        for name, value in best.items()
    }
    return Fusion(
        probability=fit.probability,
        thresholds=THRESHOLDS,
        fit=fit,
        separation=separation_by_scores(evidence, fit.parameters),
        **figures,
    )


def _farthest_shifts(
    best: Mapping[str, FloatArray], alternatives: Iterable[Alternative]
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return how far alternatives move each figure down and up; both are >= 0."""
    shifts = {name: [np.zeros_like(value)] for name, value in best.items()}
    for each in alternatives:
        ones = np.ones(len(each.evidence))
        usual, other = (
            _estimate_sample(each.evidence, each.usual, fit, ones)
            for fit in (each.usual, each.other)
        )
        for name, (first, *_) in shifts.items():
            shift = first.copy()
            of_pickers = name in _OF_PICKERS
            rows = each.pickers if of_pickers else ...
            shift[rows] = np.nan_to_num(other[name] - usual[name])
            shifts[name].append(shift)
    return {
        name: (-np.min(every, axis=0), np.max(every, axis=0))
        for name, every in shifts.items()
    }


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


def _draw_weights(
    micrograph_index: IntArray, n_resamples: int, rng: np.random.Generator
) -> list[FloatArray]:
    """Return how often each candidate counts, for each set of drawn micrographs."""
    names, row = np.unique(micrograph_index, return_inverse=True)
    drawn = draw_micrographs(len(names), n_resamples, rng).astype(np.float64)
    return [times[row.reshape(-1)] for times in drawn]


def _estimate_sample(
    evidence: Evidence, fit: LatentTraitFit, refit: LatentTraitFit, weights: FloatArray
) -> dict[str, FloatArray]:
    """Return all estimates of one sample: selected by `fit`, expected by `refit`."""
    found = evidence.found.astype(np.float64)
    expected = weights * refit.probability
    n_true = expected @ found
    alone = evidence.found.sum(axis=1) == 1
    counts: ExpectedCounts = count_expected_above(
        THRESHOLDS, fit.probability, probability=refit.probability, weights=weights
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "picker_precision": n_true / (weights @ found),
            "picker_recall": n_true / (expected @ evidence.observed),
            "found_alone": (expected * alone) @ found,
            "precision": counts.precision,
            "recall": counts.recall,
            "n_missed": np.asarray(refit.n_missed),
        }


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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion of votes and scores: probabilities, expected figures and their intervals.

Intervals add four uncertainties in quadrature: percentiles over bootstrap samples of
*micrographs*, to each of which the model is fitted again; and the farthest that a
figure moves with other priors, with one picker fewer, and with other levels of averages
(`alternatives`). They do not cover what is wrong with all of these models.

Of more candidates than `sampling.SAMPLE_SIZE`, the model and its intervals are those of
a sample; the model is then applied once to all, and figures are sums over all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.calibration.alternatives import (
    Alternative,
    fit_other_priors,
    fit_without_each,
    shift_levels,
)
from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.figures import (
    OF_PICKERS,
    THRESHOLDS,
    Estimate,
    Figures,
    Shifts,
    estimate_figures,
    estimate_intervals,
    figures_of,
)
from deepconsensus_plugin.core.calibration.latent_trait import (
    LatentTraitModel,
    apply_fit,
)
from deepconsensus_plugin.core.calibration.latent_trait_fit import LatentTraitFit
from deepconsensus_plugin.core.calibration.parameters import Priors
from deepconsensus_plugin.core.calibration.sampling import SAMPLE_SIZE, draw_sample
from deepconsensus_plugin.core.calibration.separation import separation_by_scores
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.metrics.bootstrap import draw_micrographs
from deepconsensus_plugin.core.types import FloatArray, IntArray

_REFIT_ITERATIONS = 30
"""Iterations of a resampled fit, which starts from the parameters of all micrographs;
afterwards few figures change by more than 0.01."""


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
        The model, with the probabilities of the candidates that it was fitted to.
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
    sample_size: int = SAMPLE_SIZE,
    progress: Progress | None = None,
) -> Fusion:
    """Return probabilities of candidates and the expected figures, without any truth.

    Parameters
    ----------
    evidence : Evidence
        n candidates, n >= 1.
    rng : numpy.random.Generator
        Generator of the sample, where there is one, and of the bootstrap samples.
    n_resamples : int
        Number of bootstrap samples of micrographs. There are no intervals for 0, nor
        for a single micrograph.
    level : float
        Confidence, between 0 and 1.
    priors : Priors, optional
        The defaults serve all sets.
    sample_size : int
        Number of candidates to fit the model to, where there are more.
    progress : Progress, optional
        Receives the progress.

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
    sample = draw_sample(evidence, rng, size=sample_size)
    if sample is not None:
        evidence = evidence.on_own_scales()
    fitted = evidence if sample is None else evidence.part(*sample)
    model = LatentTraitModel(fitted, priors=priors)
    with _stage(progress, "fit votes and scores", 1) as advance:
        fit = model.fit()
        advance(1)
    best = figures_of(fitted, fit, fit, fitted.weights)
    drawn = _draw_weights(fitted.micrograph_index, n_resamples, rng)
    samples = _resample(model, fitted, fit, drawn, progress)
    shifts = _try_others(fitted, fit, priors, best, progress) if samples else []
    probability, values = fit.probability, None
    if sample is not None:
        probability, values = _apply_to_all(evidence, fit, progress)
    return Fusion(
        probability=probability,
        thresholds=THRESHOLDS,
        fit=fit,
        separation=separation_by_scores(evidence, fit.parameters),
        **estimate_intervals(best, samples, shifts, level=level, values=values),
    )


def _resample(
    model: LatentTraitModel,
    evidence: Evidence,
    fit: LatentTraitFit,
    drawn: Sequence[FloatArray],
    progress: Progress | None,
) -> list[Figures]:
    """Return the figures of each set of drawn micrographs."""
    samples: list[Figures] = []
    with _stage(progress, "resample micrographs", len(drawn)) as advance:
        for weights in drawn:
            refit = model.fit(
                weights=weights, start=fit.parameters, max_iterations=_REFIT_ITERATIONS
            )
            counts = weights * evidence.weights
            samples.append(figures_of(evidence, fit, refit, counts))
            advance(1)
    return samples


def _try_others(
    evidence: Evidence,
    fit: LatentTraitFit,
    priors: Priors,
    best: Figures,
    progress: Progress | None,
) -> list[Shifts]:
    """Return how far each kind of alternative moves the figures."""
    kinds = (fit_other_priors, fit_without_each, shift_levels)
    shifts = []
    with _stage(progress, "try other models", len(kinds)) as advance:
        for alternatives in kinds:
            shifts.append(_farthest_shifts(best, alternatives(evidence, fit, priors)))
            advance(1)
    return shifts


def _apply_to_all(
    evidence: Evidence, fit: LatentTraitFit, progress: Progress | None
) -> tuple[FloatArray, Figures]:
    """Return probabilities and figures of all candidates by the fit to a sample."""
    with _stage(progress, "apply to all candidates", len(evidence)) as advance:
        probability = apply_fit(evidence, fit.parameters, advance=advance)
    figures = estimate_figures(
        *(evidence, probability, probability),
        weights=evidence.weights,
        n_missed=fit.n_missed,
    )
    return probability, figures


def _stage(
    progress: Progress | None, name: str, total: int
) -> AbstractContextManager[Callable[[int], object]]:
    """Return a stage of the progress, or one that nobody follows."""
    return nullcontext(int) if progress is None else progress.stage(name, total)


def _farthest_shifts(best: Figures, alternatives: Iterable[Alternative]) -> Shifts:
    """Return how far alternatives move each figure down and up."""
    shifts = {name: [np.zeros_like(value)] for name, value in best.items()}
    for each in alternatives:
        usual, other = (
            figures_of(each.evidence, each.usual, fit, each.evidence.weights)
            for fit in (each.usual, each.other)
        )
        for name, (first, *_) in shifts.items():
            shift = first.copy()
            rows = each.pickers if name in OF_PICKERS else ...
            shift[rows] = np.nan_to_num(other[name] - usual[name])
            shifts[name].append(shift)
    return {
        name: (-np.min(every, axis=0), np.max(every, axis=0))
        for name, every in shifts.items()
    }


def _draw_weights(
    micrograph_index: IntArray, n_resamples: int, rng: np.random.Generator
) -> list[FloatArray]:
    """Return how often each candidate counts, for each set of drawn micrographs."""
    names, row = np.unique(micrograph_index, return_inverse=True)
    drawn = draw_micrographs(len(names), n_resamples, rng).astype(np.float64)
    return [times[row.reshape(-1)] for times in drawn]

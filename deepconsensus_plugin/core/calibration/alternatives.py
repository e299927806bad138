# SPDX-License-Identifier: GPL-3.0-or-later
"""Alternative fits of the model: other priors, levels of averages, one picker fewer.

Resampled micrographs show what depends on the choice of micrographs. What depends on
the choice of the model shows in how far figures move when its fixed constants are
others, or when a picker is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.latent_trait import LatentTraitModel
from deepconsensus_plugin.core.calibration.latent_trait_fit import LatentTraitFit
from deepconsensus_plugin.core.calibration.likeness import LEVEL_RANGE
from deepconsensus_plugin.core.calibration.parameters import Parameters, Priors
from deepconsensus_plugin.core.types import BoolArray, IntArray

_HETEROGENEITY = (0.5, 1.5)
"""Half and one and a half of the slope of votes on the trait of particles; all three
differ little in what they accept (``docs/fusion.md``)."""

_FALSE_HETEROGENEITY = (0.0, 1.0)
"""Slopes of votes on the trait of other places: what misleads one picker misleads no
other, or misleads the others as much as hard particles are hard for all."""

_FEWEST_TO_LEAVE_OUT = 4
"""Pickers of which one is left out: the votes of three do determine their rates, those
of the two that three minus one leaves do not."""

_ITERATIONS = 100
"""Iterations of an alternative fit, which starts at the parameters of the usual one."""


@dataclass(frozen=True, eq=False)
class Alternative:
    """Another fit, with the usual one of the same candidates.

    Parameters
    ----------
    evidence : Evidence
        Candidates that it was fitted to, n.
    usual, other : LatentTraitFit
        Probabilities of these candidates by the usual model, and by the alternative.
    pickers : array, shape (k,), int
        Columns of the pickers in the whole evidence.
    """

    evidence: Evidence
    usual: LatentTraitFit
    other: LatentTraitFit
    pickers: IntArray


def fit_other_priors(
    evidence: Evidence, fit: LatentTraitFit, priors: Priors
) -> Iterator[Alternative]:
    """Yield fits with other fixed slopes of the votes on the latent trait."""
    settings = (
        *(replace(priors, heterogeneity=h) for h in _HETEROGENEITY),
        *(replace(priors, false_heterogeneity=g) for g in _FALSE_HETEROGENEITY),
    )
    everyone = np.arange(evidence.found.shape[1])
    for each in settings:
        start = replace(
            fit.parameters,
            heterogeneity=each.heterogeneity,
            false_heterogeneity=each.false_heterogeneity,
        )
        model = LatentTraitModel(evidence, priors=each)
        other = model.fit(start=start, max_iterations=_ITERATIONS)
        yield Alternative(evidence, fit, other, everyone)


def fit_without_each(
    evidence: Evidence, fit: LatentTraitFit, priors: Priors
) -> Iterator[Alternative]:
    """Yield fits to the votes and scores of all pickers but one, of four or more."""
    k = evidence.found.shape[1]
    if k < _FEWEST_TO_LEAVE_OUT:
        return
    for column in range(k):
        others = np.delete(np.arange(k), column)
        seen = evidence.found[:, others].any(axis=1)
        kept = ~_belong_to(evidence, column)
        fewer = Evidence(
            evidence.found[seen][:, others],
            evidence.observed[seen][:, others],
            evidence.scores[seen][:, kept],
            evidence.micrograph_index[seen],
            amplitude=None if evidence.amplitude is None else evidence.amplitude[seen],
            weight=None if evidence.weight is None else evidence.weight[seen],
        )
        model = LatentTraitModel(fewer, priors=priors)
        start = _without(fit.parameters, others, kept)
        other = model.fit(start=start, max_iterations=_ITERATIONS)
        # What nobody found means something else with fewer pickers.
        usual = replace(fit, probability=fit.probability[seen], n_missed=np.nan)
        yield Alternative(fewer, usual, other, others)


def shift_levels(
    evidence: Evidence, fit: LatentTraitFit, priors: Priors
) -> Iterator[Alternative]:
    """Yield probabilities with the other levels that averages may have on a sample.

    None without amplitudes; the priors are not asked.
    """
    if evidence.amplitude is None or not np.isfinite(evidence.amplitude).any():
        return
    everyone = np.arange(evidence.found.shape[1])
    for shift in (-LEVEL_RANGE, LEVEL_RANGE):
        shifted = expit(logit(fit.probability) + shift)
        yield Alternative(evidence, fit, replace(fit, probability=shifted), everyone)


def _belong_to(evidence: Evidence, column: int) -> BoolArray:
    """Return which kinds of score only candidates of one picker have, shape (f,)."""
    elsewhere = ~evidence.found[:, column]
    return np.asarray(~np.isfinite(evidence.scores[elsewhere]).any(axis=0))


def _without(
    parameters: Parameters, pickers: IntArray, scores: BoolArray
) -> Parameters:
    return replace(
        parameters,
        intercepts=parameters.intercepts[pickers],
        false_intercepts=parameters.false_intercepts[pickers],
        true_means=parameters.true_means[scores],
        score_slopes=parameters.score_slopes[scores],
        false_means=parameters.false_means[scores],
        deviations=parameters.deviations[scores],
    )

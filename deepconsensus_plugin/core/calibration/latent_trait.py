# SPDX-License-Identifier: GPL-3.0-or-later
"""Latent trait model of votes and scores, fitted without labels.

A place is a particle or not, and has a latent trait u, on which every picker's vote and
a particle's scores depend; given both, votes and scores are independent. Places that no
picker found are not seen, so the likelihood is conditional on being found. Fitted by
expectation maximisation (Dempster *et al.*, 1977): the model is an exponential family,
so that the expectation is one matrix product, and so are the statistics of the
maximisation. Equations, and why there is a trait: ``docs/fusion.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.latent_trait_fit import LatentTraitFit
from deepconsensus_plugin.core.calibration.likeness import apply_likeness
from deepconsensus_plugin.core.calibration.maximisation import (
    ExpectedStatistics,
    maximise,
)
from deepconsensus_plugin.core.calibration.memberships import (
    find_memberships,
    find_probabilities,
)
from deepconsensus_plugin.core.calibration.parameters import (
    QUADRATURE_NODES,
    Parameters,
    Priors,
)
from deepconsensus_plugin.core.calibration.sufficient_statistics import (
    sufficient_statistics,
)
from deepconsensus_plugin.core.calibration.witness import (
    apply_witness,
    is_contradicted,
    log_ratios,
)
from deepconsensus_plugin.core.types import FloatArray

_DECISIVE = 50.0
"""Margin in log-likelihood by which another maximum must be higher. If the votes
contain little information, as those of two pickers, a difference of 10 or 20 is not
evidence, since the model is not that exact; the usual start is then preferred. False
maxima gained up to 17, correct ones 95 and more (``docs/fusion.md``). A sample's
likelihood is that of as many candidates as it holds, not of those it stands for."""

_IDENTIFIABLE = 3
"""Pickers whose votes identify their rates (Hui and Walter, 1980). The votes of two
fill three cells, for five unknowns, and only scores can separate them."""

_PAIR_POOLING = 0.15
"""Weight of one of two pickers' votes in the other's rates."""

_LEAST_PRECISION = 0.5
"""Lowest plausible precision of a picker. If the fit of separate rates gives one of two
pickers a lower one, the scores were misleading, and both get the same rates."""


class _Run(NamedTuple):
    """Weights of the candidates, and when a fit stops."""

    weight: FloatArray
    max_iterations: int
    tolerance: float


class LatentTraitModel:
    """Latent trait model of one set of candidates; fitting does not change it.

    Parameters
    ----------
    evidence : Evidence
        n candidates, n >= 1. Of a sample, weights tell what each stands for.
    priors : Priors, optional
        The defaults serve all sets.

    Raises
    ------
    ValueError
        If there is no candidate.
    """

    def __init__(self, evidence: Evidence, *, priors: Priors | None = None) -> None:
        if not len(evidence):
            raise ValueError("expected at least one candidate, received none")
        self._priors = Priors() if priors is None else priors
        self._n_pickers = evidence.found.shape[1]
        self._n_scores = evidence.scores.shape[1]
        self._statistics = sufficient_statistics(evidence)
        self._amplitude = evidence.amplitude
        self._witness = _heard(evidence)
        self._log_ratio = _log_ratio(evidence)
        self._weights = evidence.weights
        self._stands_for = float(self._weights.sum()) / len(evidence)
        looked, group = np.unique(evidence.observed, axis=0, return_inverse=True)
        self._looked, self._group = looked.astype(np.float64), group.reshape(-1)

    def fit(
        self,
        *,
        weights: FloatArray | None = None,
        start: Parameters | None = None,
        max_iterations: int = 1000,
        tolerance: float = 1e-3,
    ) -> LatentTraitFit:
        """Return the most probable parameters and the candidates' probabilities.

        Parameters
        ----------
        weights : array, shape (n,), optional
            How often each candidate counts; default once.
        start : Parameters, optional
            Starting parameters. Default: `Parameters.start` and
            `Parameters.start_rare`; the fit from the latter is returned if it is
            decisively likelier.
        max_iterations : int
            Largest number of iterations; >= 1.
        tolerance : float
            Change of a probability in one iteration below which the fit has converged.
        """
        weight = self._weights / self._stands_for
        if weights is not None:
            weight = weight * weights
        fit = self._hear_witness(_Run(weight, max_iterations, tolerance), start)
        if self._amplitude is None:
            return fit
        told = apply_likeness(fit.probability, self._amplitude, self._weights)
        return replace(fit, probability=told)

    def _hear_witness(self, run: _Run, start: Parameters | None) -> LatentTraitFit:
        """Return the fit to votes and scores, with what the witness says of it."""
        fit = self._run_em(run, start) if start else self._fit_anew(run)
        if self._witness is None or self._log_ratio is None:
            return fit
        if fit.parameters.hears_witness:
            return fit
        if not start and is_contradicted(fit.probability, self._witness, run.weight):
            return self._fit_anew(run, hears_witness=True)
        told = apply_witness(fit.probability, self._log_ratio)
        return replace(fit, probability=told)

    def _fit_anew(self, run: _Run, *, hears_witness: bool = False) -> LatentTraitFit:
        """Return the fit from the starts of `Parameters`."""
        best_fit = partial(self._best_of_two_starts, run, hears_witness=hears_witness)
        if self._n_pickers >= _IDENTIFIABLE:
            return best_fit(rate_pooling=0.0)
        fit = best_fit(rate_pooling=_PAIR_POOLING)
        is_plausible = self._is_plausible(fit, run.weight)
        return fit if is_plausible else best_fit(rate_pooling=1.0)

    def _is_plausible(self, fit: LatentTraitFit, weight: FloatArray) -> bool:
        """Return whether the expected precision of every picker is plausible."""
        found = weight[:, np.newaxis] * self._statistics[:, 1 : 1 + self._n_pickers]
        n_true = fit.probability @ found
        return bool((n_true >= _LEAST_PRECISION * found.sum(axis=0)).all())

    def _best_of_two_starts(
        self, run: _Run, *, rate_pooling: float, hears_witness: bool
    ) -> LatentTraitFit:
        """Return the fit from the usual start, or a decisively likelier one."""
        shape = self._n_pickers, self._n_scores, self._priors
        changed = partial(
            replace, rate_pooling=rate_pooling, hears_witness=hears_witness
        )
        usual, rare = (
            self._run_em(run, changed(first(*shape)))
            for first in (Parameters.start, Parameters.start_rare)
        )
        is_rare = rare.log_likelihood > usual.log_likelihood + _DECISIVE
        return rare if is_rare else usual

    def _run_em(self, run: _Run, parameters: Parameters) -> LatentTraitFit:
        """Return the fit to which expectation maximisation converges."""
        weight = run.weight
        points = len(QUADRATURE_NODES)
        probability = np.full(len(weight), np.inf)
        for _ in range(run.max_iterations):
            membership, log_joint = find_memberships(
                self._statistics, parameters, self._log_ratio
            )
            unfound = self._unfound(parameters)
            missed = self._missed(unfound, weight)
            before, probability = probability, membership[:, :points].sum(axis=1)
            if np.abs(probability - before).max() < run.tolerance:
                break
            expected = self._expected(membership * weight[:, np.newaxis], missed)
            parameters = maximise(expected, start=parameters, priors=self._priors)
        log_density = log_joint - np.log1p(-unfound.sum(axis=1))[self._group]
        return LatentTraitFit(
            parameters,
            np.clip(probability, 0, 1),
            n_missed=float(missed[:, :points].sum()) * self._stands_for,
            log_likelihood=float(weight @ log_density),
        )

    def _unfound(self, parameters: Parameters) -> FloatArray:
        """Return the share of places that nobody finds, with the shape of `_missed`."""
        log_unfound = self._looked @ np.log1p(-parameters.find_rates)
        return np.asarray(np.exp(log_unfound + parameters.log_shares))

    def _missed(self, unfound: FloatArray, weight: FloatArray) -> FloatArray:
        """Return how many places nobody found, per set of observers and component."""
        n_seen = np.bincount(self._group, weight, minlength=len(self._looked))
        per_place = n_seen / (1 - unfound.sum(axis=1))
        return np.asarray(unfound * per_place[:, np.newaxis])

    def _expected(
        self, membership: FloatArray, missed: FloatArray
    ) -> ExpectedStatistics:
        """Return the expected statistics, with the places that nobody found."""
        k, f = self._n_pickers, self._n_scores
        sizes = np.cumsum([1, k, k, f, f])
        places, found, looked, *moments = np.split(
            self._statistics.T @ membership, sizes
        )
        return ExpectedStatistics(
            places[0] + missed.sum(axis=0),
            found,
            looked + self._looked.T @ missed,
            *moments,
        )


def apply_fit(
    evidence: Evidence,
    parameters: Parameters,
    *,
    advance: Callable[[int], object] = int,
) -> FloatArray:
    """Return the probabilities of n candidates by a model fitted to some of them, (n,).

    Parameters
    ----------
    evidence : Evidence
        n candidates on the scales that the model was fitted on.
    parameters : Parameters
        Result of the fit.
    advance : callable
        Receives the number of candidates of each block that is done.
    """
    probability = find_probabilities(evidence, parameters, advance=advance)
    log_ratio = _log_ratio(evidence)
    if log_ratio is not None and not parameters.hears_witness:
        probability = apply_witness(probability, log_ratio)
    if evidence.amplitude is None:
        return probability
    return apply_likeness(probability, evidence.amplitude)


def _heard(evidence: Evidence) -> FloatArray | None:
    """Return what the witness tells where it is needed.

    Votes of three and more pickers tell the class without it.
    """
    return evidence.witness if evidence.found.shape[1] < _IDENTIFIABLE else None


def _log_ratio(evidence: Evidence) -> FloatArray | None:
    """Return the log likelihood ratios of a witness that is heard."""
    witness = _heard(evidence)
    if witness is None or evidence.log_ratio is not None:
        return None if witness is None else evidence.log_ratio
    return log_ratios(witness)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A latent trait model of votes and scores, fitted without labels.

A place is a particle or not; a particle has an ease, on which every picker's vote and
every score depend; given that, they are independent. Places that nobody found are not
seen, and the likelihood is conditional on being found. Estimated by expectation
maximisation (Dempster *et al.*, 1977): the model is an exponential family, so that the
expectation is one matrix product, and so are the statistics of the maximisation.
Equations, and what the ease is for: ``docs/method.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence, normal_quantiles
from deepconsensus_plugin.core.calibration.maximisation import (
    ExpectedStatistics,
    maximise,
)
from deepconsensus_plugin.core.calibration.parameters import Parameters, Priors
from deepconsensus_plugin.core.types import FloatArray


@dataclass(frozen=True, eq=False)
class LatentTraitFit:
    """A fitted model, and what it says of the candidates it was fitted to.

    Parameters
    ----------
    parameters : Parameters
        At the maximum.
    probability : array, shape (n,)
        That each candidate is a particle, 0 - 1.
    n_missed : float
        Expected number of particles that no picker found.
    """

    parameters: Parameters
    probability: FloatArray
    n_missed: float


class LatentTraitModel:
    """The model of one set of candidates; fitting it leaves it as it is.

    Parameters
    ----------
    evidence : Evidence
        n candidates, n >= 1.
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
        self._statistics = _sufficient_statistics(evidence)
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
            Where to begin; default `Parameters.start`.
        max_iterations : int
            It ends there, converged or not; >= 1.
        tolerance : float
            Converged when no probability changes by more in one iteration.
        """
        weight = np.ones(len(self._statistics)) if weights is None else weights
        parameters = start or Parameters.start(
            self._n_pickers, self._n_scores, self._priors
        )
        probability = np.full(len(weight), np.inf)
        for _ in range(max_iterations):
            membership = self._memberships(parameters)
            missed = self._missed(parameters, weight)
            before, probability = probability, 1 - membership[:, -1]
            if np.abs(probability - before).max() < tolerance:
                break
            expected = self._expected(membership * weight[:, np.newaxis], missed)
            parameters = maximise(expected, start=parameters, priors=self._priors)
        n_missed = float(missed[:, :-1].sum())
        return LatentTraitFit(parameters, probability, n_missed)

    def _memberships(self, parameters: Parameters) -> FloatArray:
        """Return each candidate's probability of every component, shape (n, q + 1)."""
        joint = self._statistics @ _natural_parameters(parameters)
        joint -= joint.max(axis=1, keepdims=True)
        np.exp(joint, out=joint)
        joint /= joint.sum(axis=1, keepdims=True)
        return np.asarray(joint)

    def _missed(self, parameters: Parameters, weight: FloatArray) -> FloatArray:
        """Return how many places nobody found, per set of observers and component."""
        log_unfound = self._looked @ np.log1p(-parameters.find_rates)
        unfound = np.exp(log_unfound + parameters.log_shares)
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


def _sufficient_statistics(evidence: Evidence) -> FloatArray:
    """Return all that the likelihood needs of each candidate, one column a number.

    1; votes; who looked; which scores there are; the scores; their squares.
    """
    scores = normal_quantiles(evidence.scores)
    has_score = np.isfinite(scores)
    scores = np.where(has_score, scores, 0.0)
    ones = np.ones((len(evidence), 1))
    columns = (ones, evidence.found, evidence.observed, has_score, scores, scores**2)
    return np.hstack(columns).astype(np.float64)


def _natural_parameters(parameters: Parameters) -> FloatArray:
    """Return what each statistic adds to the components' log likelihood.

    Shape (1 + 2k + 3f, q + 1). The logarithm of the deviations is the same for all
    components, and left out.
    """
    rates, means = parameters.find_rates, parameters.score_means
    precision = 1 / parameters.deviations[:, np.newaxis] ** 2
    return np.vstack(
        [
            parameters.log_shares,
            np.log(rates) - np.log1p(-rates),
            np.log1p(-rates),
            -(means**2) * precision / 2,
            means * precision,
            np.broadcast_to(-precision / 2, means.shape),
        ]
    )

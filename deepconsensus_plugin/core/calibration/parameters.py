# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of the latent trait model, their priors and their starting values.

Equations and reasons: ``docs/fusion.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit, roots_hermitenorm

from deepconsensus_plugin.core.types import FloatArray

_POINTS, _WEIGHTS = roots_hermitenorm(9)
QUADRATURE_NODES = _POINTS
"""Quadrature nodes (Gauss-Hermite) of the latent trait u, which is standard normal over
the places of a class, shape (q,)."""
QUADRATURE_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
"""Share of the places at each node, shape (q,)."""


@dataclass(frozen=True)
class Priors:
    """Priors of the model, in pseudo-observations.

    One setting for all sets. The values mean: both classes occur; a picker finds one in
    ten of the non-particles that others find; particles that are easy for one picker
    are easy for the others, and non-particles that mislead one mislead the others,
    though less so; no picker finds all particles, or none.

    Parameters
    ----------
    prevalence : float
        Pseudo-candidates of each class.
    false_rate, false_rate_weight : float
        Mean of the rates at which pickers find places that are no particles, and the
        number of such places that it is worth.
    heterogeneity : float
        Increase of the logit of every picker's rate of finding a particle per standard
        deviation of its latent trait u; 0 makes votes independent.
    false_heterogeneity : float
        The same for places that are no particles.
    intercept_deviation : float
        Standard deviation of the intercepts about 0.
    """

    prevalence: float = 1.0
    false_rate: float = 0.1
    false_rate_weight: float = 20.0
    heterogeneity: float = 1.0
    false_heterogeneity: float = 0.25
    intercept_deviation: float = 0.5


@dataclass(frozen=True, eq=False)
class Parameters:
    """Parameters of the model, for k pickers and f kinds of score.

    Parameters
    ----------
    prevalence : float
        Share of particles among all places that a picker may come upon, found or not.
    heterogeneity, false_heterogeneity : float
        As in `Priors`; not estimated.
    intercepts : array, shape (k,)
        A picker finds a particle of latent trait u with the probability
        ``expit(intercept + heterogeneity * u)``.
    false_intercepts : array, shape (k,)
        It finds another place, of latent trait u, with the probability
        ``expit(false_intercept + false_heterogeneity * u)``.
    true_means, score_slopes : arrays, shape (f,)
        Mean of a score over particles of trait u: ``true_mean + score_slope * u``.
    false_means, deviations : arrays, shape (f,)
        Its mean over the other places (never the larger one), and the standard
        deviation of both.
    rate_pooling : float
        How much the votes of each other picker count for a picker's rates: 0 none, 1 as
        much as its own, so that all have the same rates; not estimated.
    hears_witness : bool
        Whether the fit knows what the witness tells; not estimated.
    """

    prevalence: float
    heterogeneity: float
    false_heterogeneity: float
    intercepts: FloatArray
    false_intercepts: FloatArray
    true_means: FloatArray
    score_slopes: FloatArray
    false_means: FloatArray
    deviations: FloatArray
    rate_pooling: float = 0.0
    hears_witness: bool = False

    @classmethod
    def start(cls, n_pickers: int, n_scores: int, priors: Priors) -> Parameters:
        """Return the usual starting values: high scores and votes mean particles."""
        return cls(
            prevalence=0.5,
            heterogeneity=priors.heterogeneity,
            false_heterogeneity=priors.false_heterogeneity,
            intercepts=np.full(n_pickers, 0.5),
            false_intercepts=np.full(n_pickers, logit(priors.false_rate)),
            true_means=np.full(n_scores, 0.5),
            score_slopes=np.full(n_scores, 0.3),
            false_means=np.full(n_scores, -0.8),
            deviations=np.ones(n_scores),
        )

    @classmethod
    def start_rare(cls, n_pickers: int, n_scores: int, priors: Priors) -> Parameters:
        """Return other starting values: few places are particles, found by all pickers.

        Where one picker takes nearly everything, the usual start may end at a maximum
        of the likelihood that takes its picks for particles that are hard to find.
        """
        return replace(
            cls.start(n_pickers, n_scores, priors),
            prevalence=0.02,
            intercepts=np.full(n_pickers, 2.0),
            true_means=np.full(n_scores, 1.0),
            false_means=np.full(n_scores, -0.3),
        )

    @property
    def find_rates(self) -> FloatArray:
        """Probability of being found, shape (k, 2q); columns as in `log_shares`."""
        true = self.intercepts[:, np.newaxis] + self.heterogeneity * QUADRATURE_NODES
        false = (
            self.false_intercepts[:, np.newaxis]
            + self.false_heterogeneity * QUADRATURE_NODES
        )
        return np.asarray(expit(np.column_stack([true, false])))

    @property
    def score_means(self) -> FloatArray:
        """Mean of every score, shape (f, 2q); columns as in `log_shares`."""
        true = self.true_means[:, np.newaxis] + np.outer(
            self.score_slopes, QUADRATURE_NODES
        )
        false = np.repeat(
            self.false_means[:, np.newaxis], len(QUADRATURE_NODES), axis=1
        )
        return np.column_stack([true, false])

    @property
    def log_shares(self) -> FloatArray:
        """Log share of every component among all places, shape (2q,).

        Components are particles at each quadrature node, then other places at each.
        """
        log_share = np.log(QUADRATURE_WEIGHTS)
        return np.append(
            np.log(self.prevalence) + log_share, np.log1p(-self.prevalence) + log_share
        )

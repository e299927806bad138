# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussian mixture that separates particles from background by the scores of peaks.

Peaks of noise and peaks of particles are two populations of scores. A mixture of up to
three Gaussians (a third for contamination, or for a skewed background) is fitted, their
number by the Bayesian information criterion. Particles are the components above the
clearest gap: the neighbours with the largest D of Ashman *et al.* (1994); D > 2 means
that two populations are cleanly separated. A handful of peaks far above all others are
contamination, not the particles. The threshold is the one with the largest expected F1,
computed from each peak's probability of being a particle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.robust import (
    OUTLIER_Z,
    median_and_mad,
)
from deepconsensus_plugin.core.types import FloatArray

_MAX_COMPONENTS = 3
CLEAN_SEPARATION = 2.0
"""Ashman's D above which two populations are cleanly separated."""

_SMALLEST_POPULATION = 0.01
"""Particles are at least this part of all peaks."""

_ITERATIONS = 300
_TOLERANCE = 1e-7
_MIN_VARIANCE = 1e-4
"""Smallest variance of a component, relative to the variance of all scores."""

_GROUPS = 4096
"""Groups of neighbouring scores in a fit; fewer scores are not grouped."""

FEWEST = 30
"""Fewest peaks for a mixture."""


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """A mixture of k Gaussians, means ascending.

    Parameters
    ----------
    weights, means, variances : array, shape (k,)
        Weights, means and variances of the components.
    bic : float
        Bayesian information criterion, per value; lower is better.
    """

    weights: FloatArray
    means: FloatArray
    variances: FloatArray
    bic: float

    def separations(self) -> FloatArray:
        """Return Ashman's D of each component and the next one, shape (k - 1,)."""
        pooled = self.variances[1:] + self.variances[:-1]
        return np.asarray(np.diff(self.means) * np.sqrt(2 / pooled))

    def responsibilities(self, values: FloatArray) -> FloatArray:
        """Return the probability of each component, shape (n, k)."""
        return responsibilities(values, self.weights, self.means, self.variances)[0]


def find_threshold(scores: FloatArray) -> float | None:
    """Return the score from which peaks are more likely particles than not.

    Parameters
    ----------
    scores : array, shape (n,)
        Scores of all peaks, noise included; finite, higher is better.

    Returns
    -------
    float or None
        The threshold of the largest expected F1. None where the scores do not show
        two populations.
    """
    if len(scores) < FEWEST or not np.ptp(scores) > 0:
        return None
    best, gaps = _fit_gaps(scores)
    if gaps.max(initial=0) < CLEAN_SEPARATION:
        return None
    first = int(np.argmax(gaps)) + 1
    ascending = np.sort(scores)
    probability = best.responsibilities(ascending)[:, first:].sum(axis=1)
    # A wide component must not claim what lies below the background.
    probability[ascending < best.means[first - 1]] = 0
    return best_expected_f1(ascending, np.maximum.accumulate(probability))


def separation(scores: FloatArray) -> float:
    """Return how far two populations are apart: Ashman's D of the clearest gap.

    Parameters
    ----------
    scores : array, shape (n,)
        Scores of all peaks, noise included; finite, higher is better.

    Returns
    -------
    float
        0 where there is one population.
    """
    if len(scores) < FEWEST or not np.ptp(scores) > 0:
        return 0.0
    return float(_fit_gaps(scores)[1].max(initial=0))


def _fit_gaps(scores: FloatArray) -> tuple[GaussianMixture, FloatArray]:
    """Return the best mixture, and D of the gaps with enough above them."""
    fits = [fit_score_mixture(scores, k) for k in range(1, _MAX_COMPONENTS + 1)]
    best = min(fits, key=lambda fit: fit.bic)
    above = np.cumsum(best.weights[::-1])[::-1][1:]
    return best, np.where(above < _SMALLEST_POPULATION, 0, best.separations())


def find_upper_threshold(scores: FloatArray) -> float | None:
    """Return the score beyond which picks have more contrast than the particles.

    Gold, ice crystals and the edges of carbon are blobs of any contrast; particles of
    one kind are alike (Voss *et al.*, 2009, leave that threshold to the user).

    Parameters
    ----------
    scores : array, shape (n,)
        Scores of all picks, in units of contrast; finite.

    Returns
    -------
    float or None
        Four robust deviations above their median. None with too few picks.
    """
    if len(scores) < FEWEST:
        return None
    middle, spread = median_and_mad(scores)
    return middle + OUTLIER_Z * spread if spread > 0 else None


def best_expected_f1(ascending: FloatArray, probability: FloatArray) -> float:
    """Return the threshold whose expected F1 is largest.

    Parameters
    ----------
    ascending : array, shape (n,)
        Scores.
    probability : array, shape (n,)
        That they are those of particles.
    """
    n_true = np.cumsum(probability[::-1])
    n_accepted = np.arange(1, len(ascending) + 1)
    f1 = 2 * n_true / (n_accepted + n_true[-1])
    return float(ascending[::-1][np.argmax(f1)])


def fit_score_mixture(values: FloatArray, n_components: int) -> GaussianMixture:
    """Return the mixture of Gaussians that fits best (expectation maximisation).

    Parameters
    ----------
    values : array, shape (n,)
        Finite, not all equal; n >= `n_components`.
    n_components : int
        k; >= 1. Components start as equal parts of the sorted values.
    """
    ascending = np.sort(values)
    parts = np.array_split(ascending, n_components)
    floor = _MIN_VARIANCE * values.var()
    weights = np.array([len(part) for part in parts]) / len(values)
    means = np.array([part.mean() for part in parts])
    variances = np.maximum([part.var() for part in parts], floor)
    middle, within, n_values = _groups(ascending)
    last = -np.inf
    for _ in range(_ITERATIONS):
        share, log_density = responsibilities(middle, weights, means, variances)
        share *= n_values[:, None]
        count = np.maximum(share.sum(axis=0), 1e-12)
        weights = count / len(values)
        means = middle @ share / count
        spread = (middle[:, None] - means) ** 2 + within[:, None]
        variances = np.maximum((spread * share).sum(axis=0) / count, floor)
        likelihood = float(n_values @ log_density / len(values))
        if likelihood - last < _TOLERANCE:
            break
        last = likelihood
    n_free = 3 * n_components - 1
    bic = n_free * np.log(len(values)) / len(values) - 2 * likelihood
    order = np.argsort(means, kind="stable")
    return GaussianMixture(weights[order], means[order], variances[order], float(bic))


def _groups(ascending: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean, variance and number of values of neighbours, so many groups at most.

    A fit takes as long for millions of values as for thousands.
    """
    n_groups = min(_GROUPS, len(ascending))
    first = np.linspace(0, len(ascending), n_groups, endpoint=False).astype(np.intp)
    number = np.diff(first, append=len(ascending)).astype(np.float64)
    middle = np.add.reduceat(ascending, first) / number
    residual = ascending - np.repeat(middle, number.astype(np.intp))
    return middle, np.add.reduceat(residual**2, first) / number, number


def responsibilities(
    values: FloatArray, weights: FloatArray, means: FloatArray, variances: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what each Gaussian of a mixture has in values, and how likely these are.

    Parameters
    ----------
    values : array, shape (...)
        Finite.
    weights, means, variances : array, shape (k,)
        Weights, means and variances of the components; weights and variances > 0.

    Returns
    -------
    share : array, shape (..., k)
        Probability of each component.
    log_density : array, shape (...)
        Log density of the mixture at the values.
    """
    return normalise_log_densities(
        gaussian_log_densities(values, weights, means, variances)
    )


def gaussian_log_densities(
    values: FloatArray, weights: FloatArray, means: FloatArray, variances: FloatArray
) -> FloatArray:
    """Return the log of what each weighted Gaussian has in values, shape (..., k)."""
    distance = (values[..., None] - means) ** 2 / variances
    return np.asarray(np.log(weights) - (distance + np.log(2 * np.pi * variances)) / 2)


def normalise_log_densities(log_densities: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the share of each component, and the log density of all together.

    Parameters
    ----------
    log_densities : array, shape (..., k)
        Log densities of weighted components.

    Returns
    -------
    share : array, shape (..., k)
        Sums to 1.
    log_density : array, shape (...)
        Log density of their mixture.
    """
    largest = log_densities.max(axis=-1)
    share = np.exp(log_densities - largest[..., None])
    total = share.sum(axis=-1)
    return share / total[..., None], largest + np.log(total)

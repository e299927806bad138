# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussian mixture of one variable, fitted by expectation maximisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from deepconsensus_plugin.core.types import FloatArray

_ITERATIONS = 300
_TOLERANCE = 1e-7
_MIN_VARIANCE = 1e-4
"""Smallest variance of a component, relative to the variance of all scores."""

_GROUPS = 4096
"""Groups of neighbouring scores in a fit; fewer scores are not grouped."""


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
    """Return mean, variance and size of at most `_GROUPS` groups of neighbours.

    The time of a fit is thus the same for millions of values as for thousands.
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
    """Return the share of each Gaussian in each value, and the mixture's log density.

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
    """Return the log density of each weighted Gaussian, shape (..., k)."""
    distance = (values[..., None] - means) ** 2 / variances
    return np.asarray(np.log(weights) - (distance + np.log(2 * np.pi * variances)) / 2)


def normalise_log_densities(log_densities: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the share of each component, and the log density of the mixture.

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
    # One component after the other: NumPy reduces short axes ten times more slowly.
    largest = reduce(np.maximum, np.moveaxis(log_densities, -1, 0))
    share = np.exp(log_densities - largest[..., None])
    total = reduce(np.add, np.moveaxis(share, -1, 0))
    return share / total[..., None], largest + np.log(total)

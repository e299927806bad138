# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixture of a generalised normal background and up to two Gaussians above its middle.

The background falls as exp(−(x / scale)^shape) above its most frequent score. Its shape
and the number of Gaussians are chosen by the Bayesian information criterion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gamma, gammaln

from deepconsensus_plugin.core.pickers.populations.gaussian_mixture import (
    gaussian_log_densities,
    normalise_log_densities,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray

_SHAPES = (1.0, 1.5, 2.0)
"""Shapes of the background, from exponential to Gaussian."""

_FIRST_SHARES = (0.01, 0.05, 0.2, 0.5)
"""Shares of particles from which fits start; the likeliest fit is used."""

_BIN = 0.02
"""Width of the bins in a fit, log-odds."""

_ITERATIONS = 300
_TOLERANCE = 1e-7

_MIN_VARIANCE = 0.01
"""Smallest variance of a Gaussian, squared log-odds."""


@dataclass(frozen=True, eq=False)
class LogOddsMixture:
    """Background, and k Gaussians above its middle, means ascending.

    Parameters
    ----------
    middle : float
        The background's most frequent log-odds.
    scale, shape : float
        Scale and shape of the background: its density falls as exp(−(x / scale)^shape)
        above `middle`.
    weights : array, shape (1 + k,)
        Weights of the background, then the Gaussians, among what lies above `middle`.
    means, variances : array, shape (k,)
        Means and variances of the Gaussians; means are above `middle`.
    """

    middle: float
    scale: float
    shape: float
    weights: FloatArray
    means: FloatArray
    variances: FloatArray

    def responsibilities(self, scores: FloatArray) -> FloatArray:
        """Return the probability of each component, shape (n, 1 + k)."""
        above = np.maximum(scores - self.middle, 0)
        return normalise_log_densities(self.log_densities(above))[0]

    def log_densities(self, above: FloatArray) -> FloatArray:
        """Return the log density of each weighted component, (n, 1 + k)."""
        background = (
            np.log(self.weights[0] * self.shape / self.scale)
            - gammaln(1 / self.shape)
            - (above / self.scale) ** self.shape
        )
        gaussians = gaussian_log_densities(
            above, self.weights[1:], self.means, self.variances
        )
        return np.column_stack([background, gaussians])

    def separations(self) -> FloatArray:
        """Return Ashman's D of each component and the next one, shape (k,)."""
        spread = self.scale**2 * gamma(3 / self.shape) / gamma(1 / self.shape)
        variances = np.array([spread, *self.variances])
        pooled = variances[1:] + variances[:-1]
        return np.asarray(np.diff(self.means, prepend=0) * np.sqrt(2 / pooled))


def fit_log_odds(scores: FloatArray) -> LogOddsMixture:
    """Return the mixture fitted to the scores above the middle of the background.

    Parameters
    ----------
    scores : array, shape (n,)
        Log-odds; finite, not all equal.
    """
    middle = half_sample_mode(scores)
    above = scores[scores >= middle] - middle
    value, number = _binned(above)
    fits = [_maximise(start, value, number) for start in _starts(middle, value, number)]

    def information(fit: tuple[LogOddsMixture, float]) -> float:
        mixture, likelihood = fit
        n_free = 2 + 3 * len(mixture.means)
        return n_free * float(np.log(len(above))) / len(above) - 2 * likelihood

    return min(fits, key=information)[0]


def _binned(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean and the number of the values in each bin that has any."""
    _, place, number = np.unique(
        values // _BIN, return_inverse=True, return_counts=True
    )
    return np.bincount(place, weights=values) / number, number.astype(np.float64)


def half_sample_mode(values: FloatArray) -> float:
    """Return the mode: the densest half of the values is halved until two are left.

    Robertson & Cryer, *J. Am. Stat. Assoc.* 69, 1012 (1974).

    Parameters
    ----------
    values : array, shape (n,)
        Finite; n > 0.
    """
    left = np.sort(values)
    while len(left) > 2:
        half = (len(left) + 1) // 2
        width = left[half - 1 :] - left[: len(left) - half + 1]
        first = int(np.argmin(width))
        left = left[first : first + half]
    return float(left.mean())


def _starts(
    middle: float, value: FloatArray, number: FloatArray
) -> Iterator[LogOddsMixture]:
    """Yield starting mixtures, in which the largest scores belong to particles."""
    nothing = np.zeros(0)
    rank = np.cumsum(number) / number.sum()
    for shape in _SHAPES:
        scale = _likeliest_scale(value, number, shape)
        alone = LogOddsMixture(middle, scale, shape, np.ones(1), nothing, nothing)
        yield alone
        for share in _FIRST_SHARES:
            parts = [(1 - 3 * share < rank) & (rank <= 1 - share), rank > 1 - share]
            for chosen in (parts[1:], parts):
                if all(np.count_nonzero(part) > 1 for part in chosen):
                    yield _with_gaussians(alone, chosen, value, number)


def _with_gaussians(
    alone: LogOddsMixture,
    parts: Sequence[BoolArray],
    value: FloatArray,
    number: FloatArray,
) -> LogOddsMixture:
    """Return a background and one Gaussian per part of the scores, of equal weights."""
    share = min(0.3, float(number[parts[-1]].sum() / number.sum()))
    means = [np.average(value[part], weights=number[part]) for part in parts]
    variances = [
        np.average((value[part] - mean) ** 2, weights=number[part])
        for part, mean in zip(parts, means, strict=True)
    ]
    return replace(
        alone,
        weights=np.array([1 - share * len(parts), *[share] * len(parts)]),
        means=np.array(means),
        variances=np.maximum(variances, _MIN_VARIANCE),
    )


def _likeliest_scale(value: FloatArray, number: FloatArray, shape: float) -> float:
    moment = float(number @ value**shape / number.sum())
    return float(max(_BIN, (shape * moment) ** (1 / shape)))


def _maximise(
    mixture: LogOddsMixture, value: FloatArray, number: FloatArray
) -> tuple[LogOddsMixture, float]:
    """Return the mixture after expectation maximisation, and its log-likelihood.

    Parameters
    ----------
    mixture : LogOddsMixture
        Starting mixture; its shape is kept.
    value, number : array, shape (m,)
        Scores above the middle, and the number of each.
    """
    last = -np.inf
    for _ in range(_ITERATIONS):
        share, log_density = normalise_log_densities(mixture.log_densities(value))
        likelihood = float(number @ log_density / number.sum())
        if likelihood - last < _TOLERANCE:
            break
        last = likelihood
        share *= number[:, None]
        count = np.maximum(share.sum(axis=0), 1e-9)
        background, gaussians = share[:, 0], share[:, 1:]
        means = value @ gaussians / count[1:]
        spread = (gaussians * (value[:, None] - means) ** 2).sum(axis=0) / count[1:]
        mixture = replace(
            mixture,
            scale=_likeliest_scale(value, background, mixture.shape),
            weights=count / count.sum(),
            means=means,
            variances=np.maximum(spread, _MIN_VARIANCE),
        )
    order = np.argsort(mixture.means, kind="stable")
    ascending = replace(
        mixture,
        weights=mixture.weights[[0, *(1 + order)]],
        means=mixture.means[order],
        variances=mixture.variances[order],
    )
    return ascending, last

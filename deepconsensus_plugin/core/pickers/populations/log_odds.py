# SPDX-License-Identifier: GPL-3.0-or-later
"""Threshold between the particle and background modes of log-odds scores.

Most of what a network finds is background, whose most frequent score is its middle.
Below it lies a long tail of places that are clearly background, which is left out.
Above it, background falls off as a generalised normal
distribution, exp(−(x / scale)^shape), and up to two Gaussians are what is more than
that: particles, perhaps something between. Such a background is an *empirical null*
(Efron, *J. Am. Stat. Assoc.* 99, 96, 2004). The number of Gaussians is chosen by the
Bayesian information criterion; particles are what lies above the clearest gap, as in
`populations`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gamma, gammaln

from deepconsensus_plugin.core.pickers.populations.gaussian_mixture import (
    CLEAN_SEPARATION,
    FEWEST,
    best_expected_f1,
    gaussian_log_densities,
    normalise_log_densities,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray

_MAX_GAUSSIANS = 2
_SHAPES = (1.0, 1.5, 2.0)
"""Shapes of the background, from exponential to Gaussian."""

_FIRST_SHARES = (0.01, 0.05, 0.2, 0.5)
"""Shares of particles from which fits start; the likeliest fit is used."""

_SMALLEST_SHARE = 0.005
"""Particles are at least this part of what lies above the background's middle."""

_BIN = 0.02
"""Log-odds that are alike to a fit."""

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
        """Return what each component has in scores above the middle, (n, 1 + k)."""
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


@dataclass(frozen=True, eq=False)
class ParticleScores:
    """Mixture of log-odds of particles and background; see `fit_particle_mixture`.

    Parameters
    ----------
    mixture : LogOddsMixture
        Fitted mixture of the log-odds.
    first : int
        Particles are the Gaussians from this one on.
    """

    mixture: LogOddsMixture
    first: int

    def probability(self, scores: FloatArray) -> FloatArray:
        """Return how probably peaks are particles; never falls as scores rise.

        Parameters
        ----------
        scores : array, shape (n,)
            Log-odds.
        """
        ascending, place = np.unique(scores, return_inverse=True)
        each = self.mixture.responsibilities(ascending)
        share = each[:, 1 + self.first :].sum(axis=1)
        # A wide component must not take scores below the one it is separated from.
        below = np.array([0.0, *self.mixture.means])[self.first]
        share[ascending < self.mixture.middle + below] = 0
        return np.asarray(np.maximum.accumulate(share)[place])

    def find_threshold(self, scores: FloatArray) -> float:
        """Return the log-odds from which picks have the largest expected F1.

        Parameters
        ----------
        scores : array, shape (n,)
            Log-odds of all peaks; n > 0.
        """
        ascending = np.sort(scores)
        return best_expected_f1(ascending, self.probability(ascending))


def fit_particle_mixture(scores: FloatArray) -> ParticleScores | None:
    """Return the mixture of particles and background; None if they do not separate.

    Parameters
    ----------
    scores : array, shape (n,)
        Log-odds of all peaks, most of them background; finite.
    """
    if len(scores) < FEWEST or not np.ptp(scores) > 0:
        return None
    fitted = fit_log_odds(scores)
    above = np.cumsum(fitted.weights[:0:-1])[::-1]
    gaps = np.where(above < _SMALLEST_SHARE, 0, fitted.separations())
    if gaps.max(initial=0) < CLEAN_SEPARATION:
        return None
    return ParticleScores(fitted, int(np.argmax(gaps)))


def fit_log_odds(scores: FloatArray) -> LogOddsMixture:
    """Return the mixture that fits what lies above the middle of the background.

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
    """Return the most frequent value: the densest half of the densest half of … them.

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
    """Give mixtures to start from: the largest scores are those of particles."""
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
    """Return a background with a Gaussian for each part of the scores, as many each."""
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
    """Return the likeliest mixture near one (expectation maximisation), and how likely.

    Parameters
    ----------
    mixture : LogOddsMixture
        Where to start; its shape is kept.
    value, number : array, shape (m,)
        Scores above the middle, and how many there are of each.
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

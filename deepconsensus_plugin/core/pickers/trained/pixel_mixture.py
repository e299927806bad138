# SPDX-License-Identifier: GPL-3.0-or-later
"""Expectation maximisation of a Gaussian mixture that micrographs share up to a scale.

Bepler et al. 2019, Methods 2. Pixels of micrograph k are distributed as

    x / α_k ~ Σ_c w_c N(μ_c, σ_c²),

with one or two components. Two additions are ours. The geometric mean of the scales is
1, since the likelihood does not fix it. The number of components is chosen by the
Bayesian information criterion.

Each micrograph is represented by bins of its sorted pixels, so that ten thousand
micrographs fit into memory and the fit takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from deepconsensus_plugin.core.pickers.populations.gaussian_mixture import (
    responsibilities,
)
from deepconsensus_plugin.core.types import FloatArray

_N_BINS = 128
"""Number of bins of equal width, and of bins by quantile, which resolve narrow
peaks."""

_FRACTIONS = ndtr(np.linspace(-4.0, 4.0, _N_BINS + 1)[1:-1])
"""Fractions of sorted pixels at which bins begin: 1/16 deviation of a Gaussian each."""

_MOST_PIXELS = 1 << 18
"""Maximum number of pixels of one micrograph that are used."""

_MIN_VARIANCE = 1e-4
"""Smallest variance of a component, relative to all pixels; constant borders have 0."""

_ITERATIONS = 500
_FIRST_ITERATIONS = 15
"""Iterations after which the best of several starts is chosen."""

_TOLERANCE = 1e-8
"""Gain of log-likelihood per pixel at which the fit ends."""

_STARTS = (
    ((0.1, 0.9), (-2.0, 0.2), (0.8, 0.8)),
    ((0.9, 0.1), (-0.2, 2.0), (0.8, 0.8)),
    ((0.5, 0.5), (-0.8, 0.8), (0.6, 0.6)),
    ((0.1, 0.9), (0.0, 0.0), (2.0, 0.8)),
)
"""Weights, means and deviations, in deviations of all pixels from their mean."""


@dataclass(frozen=True)
class PixelMixture:
    """Distribution of the pixels of micrographs of scale 1: one or two Gaussians.

    Parameters
    ----------
    weights, means, deviations : tuple of float
        Weights, means and deviations of the components; the weights add up to 1, the
        deviations are > 0.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @property
    def dominant(self) -> tuple[float, float]:
        """Mean and deviation of the component with the largest weight."""
        largest = int(np.argmax(self.weights))
        return self.means[largest], self.deviations[largest]


@dataclass(frozen=True, eq=False)
class PixelBins:
    """Binned pixels of micrographs; arrays of shape (micrographs, bins).

    Parameters
    ----------
    counts : array
        Number of pixels in each bin; 0 in unused bins.
    means, squares : array
        Mean pixel of a bin, and mean square of its pixels.
    """

    counts: FloatArray
    means: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, summaries: Sequence[FloatArray]) -> PixelBins:
        """Return the bins of micrographs (one or more) from `summarise_pixels`."""
        longest = max(summary.shape[1] for summary in summaries)
        rows = np.zeros((3, len(summaries), longest))
        for k, summary in enumerate(summaries):
            rows[:, k, : summary.shape[1]] = summary
        return cls(*rows)


def summarise_pixels(sample: NDArray[Any]) -> FloatArray | None:
    """Return count, mean and mean square of bins, shape (3, bins); None if all equal.

    Bins are narrow where there are many pixels, in the tails and in between, so that no
    bin mixes clearly separate components.
    """
    values = np.asarray(sample, dtype=np.float64).ravel()
    values = np.sort(values[np.isfinite(values)][:: _step(values.size)])
    if not values.size or values[0] == values[-1]:
        return None
    first = np.rint(_FRACTIONS * values.size).astype(np.intp)
    lowest, highest = values[np.minimum(first[[0, -1]], values.size - 1)]
    equally_wide = np.linspace(lowest, highest, _N_BINS)
    first = np.append(first, np.searchsorted(values, equally_wide))
    first = np.unique(np.append(0, first[first < values.size]))
    counts = np.diff(first, append=values.size)
    means = np.add.reduceat(values, first) / counts
    squares = np.add.reduceat(values**2, first) / counts
    return np.asarray([counts, means, squares])


def _step(n_pixels: int) -> int:
    return -(-n_pixels // _MOST_PIXELS) or 1


def fit_pixel_mixture(bins: PixelBins) -> tuple[PixelMixture, FloatArray]:
    """Return the better of one and two components, and each micrograph's scale."""
    inverse = _of_unit_product(1 / np.sqrt(_power(bins)))
    mean, deviation = _moments(bins, inverse)
    one = _run_em(bins, inverse, PixelMixture((1.0,), (mean,), (deviation,)))
    starts = [
        PixelMixture(
            weights,
            tuple(mean + deviation * m for m in means),
            tuple(deviation * d for d in deviations),
        )
        for weights, means, deviations in _STARTS
    ]
    begun = [_run_em(bins, inverse, s, iterations=_FIRST_ITERATIONS) for s in starts]
    best = max(begun, key=lambda run: run[2])
    two = _run_em(bins, best[1], best[0])
    n_pixels = bins.counts.sum()
    is_better = 2 * n_pixels * (two[2] - one[2]) > 3 * np.log(n_pixels)
    mixture, inverse, _ = two if is_better else one
    return mixture, 1 / inverse


def fit_scales(bins: PixelBins, mixture: PixelMixture) -> FloatArray:
    """Return the scale of each micrograph for a known mixture, shape (n,)."""
    means, variances = np.array(mixture.means), np.square(mixture.deviations)
    power = np.dot(mixture.weights, means**2 + variances)
    inverse = np.sqrt(power / _power(bins))
    for _ in range(_ITERATIONS):
        share, _ = _expect(bins, inverse, mixture)
        last, inverse = inverse, _best_inverse_scales(bins, share, mixture)
        if np.abs(inverse / last - 1).max() < _TOLERANCE:
            break
    return np.asarray(1 / inverse)


def _run_em(
    bins: PixelBins,
    inverse: FloatArray,
    mixture: PixelMixture,
    *,
    iterations: int = _ITERATIONS,
) -> tuple[PixelMixture, FloatArray, float]:
    """Return mixture and inverse scales after EM, and the log-likelihood per pixel."""
    last = -np.inf
    for _ in range(iterations):
        share, likelihood = _expect(bins, inverse, mixture)
        if likelihood - last < _TOLERANCE:
            break
        last = likelihood
        inverse = _of_unit_product(_best_inverse_scales(bins, share, mixture))
        mixture = _best_mixture(bins, share, inverse)
    return mixture, inverse, likelihood


def _expect(
    bins: PixelBins, inverse: FloatArray, mixture: PixelMixture
) -> tuple[FloatArray, float]:
    """Return pixels of each component, shape (n, bins, k), and the log-likelihood."""
    share, log_density = responsibilities(
        bins.means * inverse[:, None],
        np.array(mixture.weights),
        np.array(mixture.means),
        np.square(mixture.deviations),
    )
    log_density = log_density + np.log(inverse)[:, None]
    likelihood = (bins.counts * log_density).sum() / bins.counts.sum()
    return share * bins.counts[..., None], float(likelihood)


def _best_inverse_scales(
    bins: PixelBins, share: FloatArray, mixture: PixelMixture
) -> FloatArray:
    """Return the a_k that maximise n log a − Σ r (a x − μ)² / 2σ², shape (n,).

    The positive root of a² S₂ − a S₁ − n = 0, whatever the signs of the means.
    """
    precision = 1 / np.square(mixture.deviations)
    s1 = np.einsum("kbc,kb,c->k", share, bins.means, precision * mixture.means)
    s2 = np.einsum("kbc,kb,c->k", share, bins.squares, precision)
    n = bins.counts.sum(axis=1)
    return np.asarray((s1 + np.sqrt(s1**2 + 4 * n * s2)) / (2 * s2))


def _best_mixture(
    bins: PixelBins, share: FloatArray, inverse: FloatArray
) -> PixelMixture:
    """Return the moments of the scaled pixels of each component."""
    n = np.maximum(share.sum(axis=(0, 1)), 1e-9)
    means = np.einsum("kbc,kb,k->c", share, bins.means, inverse) / n
    squares = np.einsum("kbc,kb,k->c", share, bins.squares, inverse**2) / n
    floor = _MIN_VARIANCE * _moments(bins, inverse)[1] ** 2
    deviations = np.sqrt(np.maximum(squares - means**2, floor))
    weights = n / n.sum()
    return PixelMixture(*(tuple(v.tolist()) for v in (weights, means, deviations)))


def _moments(bins: PixelBins, inverse: FloatArray) -> tuple[float, float]:
    """Return mean and deviation of all scaled pixels."""
    n = bins.counts.sum()
    mean = (bins.counts * bins.means * inverse[:, None]).sum() / n
    square = (bins.counts * bins.squares * inverse[:, None] ** 2).sum() / n
    return float(mean), float(np.sqrt(max(square - mean**2, 1e-12 * square)))


def _of_unit_product(values: FloatArray) -> FloatArray:
    return np.asarray(values / np.exp(np.log(values).mean()))


def _power(bins: PixelBins) -> FloatArray:
    """Return the mean square pixel of each micrograph, shape (n,)."""
    total = (bins.counts * bins.squares).sum(axis=1)
    return np.asarray(total / bins.counts.sum(axis=1))

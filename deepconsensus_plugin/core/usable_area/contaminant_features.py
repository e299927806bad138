# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of the pixels of a micrograph, by which a network tells contaminants.

Level, contrast in bands, gradients and particle-sized means, in windows from 15 to 500
Å, all relative to what is usual on the micrograph, so that level, scale and depth of
pixels do not matter. A pixel of the features covers `STEP` by `STEP` pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from scipy.ndimage import uniform_filter

from deepconsensus_plugin.core.robust import OUTLIER_Z, median_and_mad
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area.binning import bin_pixels
from deepconsensus_plugin.core.usable_area.relative import (
    TINY,
    Float32Array,
    Usual,
    smoothed,
)

STEP = 3
N_FEATURES = 28

_LEVELS_A = (30.0, 60.0, 120.0, 240.0, 480.0)
"""Standard deviations of the Gaussians between which bands lie, Å."""


def first_look(
    image: Float32Array,
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    diameter_A: float,
) -> Float32Array:
    """Return the features of a micrograph without further knowledge.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Particles dark, of any level and scale; finite where `has_signal`.
    has_signal : array, shape (rows, columns), bool
        Pixels that were recorded, one at least of those that features cover.
    pixel_size_A : float
        Å/px of the image; about 9.
    diameter_A : float
        Diameter of the particle, Å.

    Returns
    -------
    array, shape (rows // 3, columns // 3, 28), float32
    """
    usual = Usual(bin_pixels(has_signal, STEP) > 0.5)
    some = image[has_signal]
    scale = np.float32(some.std() or 1.0)
    scaled = (np.where(has_signal, image, np.median(some)) - np.median(some)) / scale
    scaled = np.asarray(scaled, np.float32)
    q = pixel_size_A * STEP
    coarse = bin_pixels(scaled, STEP)
    near = smoothed(scaled, 15 / pixel_size_A)
    wide = smoothed(near, (30**2 - 15**2) ** 0.5 / pixel_size_A)
    fine, finer = near - wide, scaled - near
    levels = [bin_pixels(wide, STEP)]
    levels += [smoothed(coarse, width / q) for width in _LEVELS_A[1:]]
    bands = [a - b for a, b in pairwise(levels)]
    features = [
        *_levels(levels, bands, finer, usual),
        *_powers(bands, finer, fine, q, usual),
        *(usual.log_ratio(_gradient_power(level)) for level in levels[:3]),
        *_particle_sized(coarse, diameter_A / q, usual),
        *(usual.rank(levels[k]) for k in (1, 3)),
        *_constants(levels, bands, finer, diameter_A, usual),
    ]
    return np.asarray(np.stack(features, axis=-1), np.float32)


def _levels(
    levels: list[Float32Array],
    bands: list[Float32Array],
    finer: Float32Array,
    usual: Usual,
) -> Iterator[Float32Array]:
    middle = usual.middle(levels[1])
    detail, noise = _spreads(bands, finer, usual)
    for level in levels:
        yield np.arcsinh((level - middle) / detail)
    yield np.arcsinh((levels[1] - middle) / noise)
    for band in bands:
        yield usual.in_spreads(band)


def _spreads(
    bands: list[Float32Array], finer: Float32Array, usual: Usual
) -> tuple[np.float32, np.float32]:
    """Return the spread of what is of the size of particles, and that of noise."""
    detail = median_and_mad((bands[0] + bands[1] + bands[2])[usual.is_counted])[1]
    noise = median_and_mad(finer[::2, ::2].ravel())[1]
    return np.float32(detail + TINY), np.float32(noise + TINY)


def _powers(
    bands: list[Float32Array],
    finer: Float32Array,
    fine: Float32Array,
    q: float,
    usual: Usual,
) -> Iterator[Float32Array]:
    """Yield the contrast around each pixel in bands from fine to coarse."""
    squares = [bin_pixels(each * each, STEP) for each in (finer, fine)]
    for square in squares:
        yield usual.log_ratio(smoothed(square, 45 / q))
    for band, width in zip(bands, (60, 90, 180), strict=False):
        yield usual.log_ratio(smoothed(band * band, width / q))
    yield usual.log_ratio(smoothed(bin_pixels(np.abs(finer), STEP), 120 / q) ** 2)
    yield usual.log_ratio(smoothed(squares[1], 150 / q))


def _gradient_power(level: Float32Array) -> Float32Array:
    down, across = np.gradient(level)
    return np.asarray(down * down + across * across)


def _particle_sized(
    coarse: Float32Array, diameter_px: float, usual: Usual
) -> Iterator[Float32Array]:
    """Yield means and variance by the contrast of particles, as the rule has them."""
    mean = _local_mean(coarse, 2 * diameter_px)
    blobs = (_local_mean(coarse, 0.5 * diameter_px) - mean)[usual.is_counted]
    middle, spread = median_and_mad(mean[usual.is_counted])
    low, usual_blob, high = np.quantile(blobs, (0.005, 0.5, 0.995))
    dark = np.float32(max(usual_blob - low, 3 * spread) + TINY)
    bright = np.float32(max(high - usual_blob, 3 * spread) + TINY)
    for each in (mean, _local_mean(coarse, 0.7 * diameter_px)):
        yield 2 * np.arcsinh((each - np.float32(middle)) / dark)
    rest = coarse - _local_mean(coarse, 1.5 * diameter_px)
    variance = np.maximum(_local_mean(rest * rest, 1.5 * diameter_px), 1e-9)
    ratio = np.log(variance / max(dark, bright) ** 2)
    yield np.clip(ratio, -OUTLIER_Z, OUTLIER_Z)


def _constants(
    levels: list[Float32Array],
    bands: list[Float32Array],
    finer: Float32Array,
    diameter_A: float,
    usual: Usual,
) -> Iterator[Float32Array]:
    """Yield what is the same at all pixels: diameter, uneven ice, and noise."""
    detail, noise = _spreads(bands, finer, usual)
    uneven = median_and_mad(levels[3][usual.is_counted])[1] / detail
    for value in (
        np.log2(diameter_A / 120),
        np.log(uneven + 0.05),
        0.5 * np.log(detail / noise + 0.02),
    ):
        yield np.full(levels[0].shape, value, np.float32)


def _local_mean(values: Float32Array, width_px: float) -> Float32Array:
    """Return the mean of the odd square window nearest to `width_px`."""
    return np.asarray(uniform_filter(values, max(1, round(width_px) // 2 * 2 + 1)))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask of contamination: padded borders, carbon, thick ice and dead areas.

Contamination is an area that differs from most of its micrograph by more than particles
can. Its local mean is further from the usual one than the contrast of a particle, which
windows full of particles do not exceed. Or its local variance exceeds the usual one by
the square of that contrast, four times the largest variance of a mixture of particles
and background.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, uniform_filter

from deepconsensus_plugin.core.robust import (
    OUTLIER_Z,
    median_and_mad,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray

Float32Array = NDArray[np.float32]

_MEAN_WINDOW = 2.0
_VARIANCE_WINDOW = 1.5
_PARTICLE_WINDOW = 0.5
"""Widths of the windows, in diameters; the last one fits into a particle."""

_CONTRAST_QUANTILE = 0.995
"""Quantile of the filtered image that measures the contrast of particles: they must
cover 0.5 % of the area."""

_DEAD = 0.01
"""Fraction of the usual variance below which an area is dead."""

_PIXEL_STEP = 3
"""Stride of rows and columns from which usual values are estimated; windows are much
wider."""

_QUIET = 0.1
"""Ratio to the usual difference of neighbouring lines below which lines are padding."""

_LARGEST_PADDING = 0.25
"""Largest fraction of the micrograph on each side that may be padding."""


def find_padding(image: Float32Array) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the number of padded lines at each border.

    Padding repeats a line or a value, so that neighbouring lines hardly differ. All
    lines outside the innermost such line are padding, too.

    Parameters
    ----------
    image : array, shape (rows, columns)
        Pixels that are not finite are ignored.

    Returns
    -------
    tuple of tuple of int
        Rows before and after, columns before and after.
    """
    return _padding_along(image), _padding_along(image.T)


def _padding_along(image: Float32Array) -> tuple[int, int]:
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        steps = np.abs(np.diff(image, axis=0))
    change = np.where(np.isfinite(steps), steps, 0).mean(axis=1)
    is_quiet = change < _QUIET * np.median(change)
    n_most = int(len(image) * _LARGEST_PADDING)
    return _last(is_quiet[:n_most]), _last(is_quiet[::-1][:n_most])


def _last(is_quiet: BoolArray) -> int:
    """Return the number of lines up to the last pair that hardly differs, inclusive."""
    found = np.flatnonzero(is_quiet)
    return int(found[-1]) + 2 if len(found) else 0


def find_usable_area(
    image: Float32Array,
    is_finite: BoolArray,
    *,
    diameter_px: float,
    avoid_contamination: bool = True,
) -> BoolArray:
    """Return the mask of pixels where the centre of a particle may lie.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Without its padding; finite.
    is_finite : array, shape (rows, columns), bool
        Which pixels were recorded; centres keep a radius away from others.
    diameter_px : float
        Diameter of the particle, pixels.
    avoid_contamination : bool
        Whether places of unusual mean or variance are left out.

    Returns
    -------
    array, shape (rows, columns), bool
        False everywhere on an image without any variation.
    """
    if not image.size or image.min() == image.max():
        return np.zeros(image.shape, dtype=bool)
    is_usable = is_finite.copy()
    if not is_finite.all():
        reach = round(diameter_px / 2)
        is_usable = ~binary_dilation(~is_finite, np.ones((3, 3)), iterations=reach)
    if avoid_contamination and is_usable.any():
        is_usable &= _is_clean(image, is_usable, diameter_px)
    return is_usable


def _is_clean(
    image: Float32Array, is_usable: BoolArray, diameter_px: float
) -> BoolArray:
    """Return the mask of pixels whose mean and variance particles can explain."""
    some = (slice(None, None, _PIXEL_STEP),) * 2

    def sample(values: Float32Array) -> FloatArray:
        return np.asarray(values[some][is_usable[some]], dtype=np.float64)

    if not is_usable[some].any():
        return is_usable
    mean = _local_mean(image, _MEAN_WINDOW * diameter_px)
    blobs = sample(_local_mean(image, _PARTICLE_WINDOW * diameter_px)) - sample(mean)
    middle, spread = median_and_mad(sample(mean))
    bright, dark = (
        max(OUTLIER_Z * spread, abs(float(np.quantile(blobs, q) - np.median(blobs))))
        for q in (_CONTRAST_QUANTILE, 1 - _CONTRAST_QUANTILE)
    )
    is_clean = (mean <= middle + bright) & (mean >= middle - dark)

    fine = image - _local_mean(image, _VARIANCE_WINDOW * diameter_px)
    variance = _local_mean(fine * fine, _VARIANCE_WINDOW * diameter_px)
    middle, spread = median_and_mad(sample(variance))
    most = middle + max(OUTLIER_Z * spread, max(bright, dark) ** 2)
    return is_clean & (variance <= most) & (variance >= _DEAD * middle)


def _local_mean(image: Float32Array, width_px: float) -> Float32Array:
    """Return the mean of the odd square window nearest to `width_px`."""
    return np.asarray(uniform_filter(image, round(width_px) // 2 * 2 + 1))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Where not to pick: padded borders, carbon and its edge, thick ice, dead areas.

Contamination is what is unusual on its own micrograph: the local mean or the local
deviation, over windows about twice a particle wide, lies far from where it lies on
most of the area. Median and median absolute deviation tell *usual*, so that up to half
of a micrograph may be unusual.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, uniform_filter

from deepconsensus_plugin.core.types import BoolArray, FloatArray

Float32Array = NDArray[np.float32]

_OUTLIER_Z = 4.0
"""Deviations from the usual beyond which a place is contaminated."""

_MEAN_WINDOW = 2.0
_DEVIATION_WINDOW = 1.5
"""Widths of the windows, in diameters: single particles must not stand out."""

_PIXEL_STEP = 3
"""Every so many-th row and column tells what is usual: windows are much wider."""

_QUIET = 0.1
"""Padding repeats lines: neighbours differ by less than this part of the usual."""

_LARGEST_PADDING = 0.25
"""Part of the micrograph on each side that may be padding."""


def find_padding(image: Float32Array) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many lines at each border do not come from the microscope.

    Padded borders repeat a line or a value; such lines hardly differ from the next
    one. Everything outside the innermost of them is padding, too.

    Parameters
    ----------
    image : array, shape (rows, columns)
        Pixels that are not finite count as nothing.

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
    """Return the number of lines up to the last quiet pair, both of it included."""
    found = np.flatnonzero(is_quiet)
    return int(found[-1]) + 2 if len(found) else 0


def find_usable_area(
    image: Float32Array,
    is_finite: BoolArray,
    *,
    diameter_px: float,
    avoid_contamination: bool = True,
) -> BoolArray:
    """Return where centres of particles may lie.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Without its padding; finite.
    is_finite : array, shape (rows, columns), bool
        Which pixels were recorded; centres keep a radius away from others.
    diameter_px : float
        Of the particle, pixels.
    avoid_contamination : bool
        Whether places of unusual mean or deviation are left out.

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
        for statistic in _local_statistics(image, diameter_px):
            is_usable &= _is_usual(statistic, is_usable)
    return is_usable


def _local_statistics(
    image: Float32Array, diameter_px: float
) -> tuple[FloatArray, FloatArray]:
    """Return the local mean, and the logarithm of the local deviation."""
    mean_window, window = (
        round(width * diameter_px) // 2 * 2 + 1
        for width in (_MEAN_WINDOW, _DEVIATION_WINDOW)
    )
    mean = uniform_filter(image, mean_window)
    centred = image - uniform_filter(image, window)
    variance = uniform_filter(centred * centred, window)
    floor = 1e-6 * float(variance.mean())
    return mean, np.log(np.maximum(variance, floor))


def _is_usual(statistic: FloatArray, is_usable: BoolArray) -> BoolArray:
    some = (slice(None, None, _PIXEL_STEP),) * 2
    values = statistic[some][is_usable[some]]
    if not values.size:
        return is_usable
    middle = np.median(values)
    deviation = 1.4826 * np.median(np.abs(values - middle))
    return np.asarray(np.abs(statistic - middle) <= _OUTLIER_Z * deviation)

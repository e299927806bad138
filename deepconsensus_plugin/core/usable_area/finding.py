# SPDX-License-Identifier: GPL-3.0-or-later
"""Usable area of a micrograph: padding, areas without signal, contamination.

The area is found on a binned image, on which the diameter of the particle spans about
ten pixels: what is in the way is larger than a particle, or does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, maximum_filter, minimum_filter

from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.binning import bin_pixels, centre
from deepconsensus_plugin.core.usable_area.contamination import find_contamination
from deepconsensus_plugin.core.usable_area.kinds import AreaKind
from deepconsensus_plugin.core.usable_area.padding import find_padding

Float32Array = NDArray[np.float32]
FindContamination = Callable[..., NDArray[np.uint8]]

_DIAMETER_PX = 10
"""Least diameter after binning, pixels, if the micrograph has as many and is not too
large."""

_PIXEL_SIZE_A = 9.0
"""Largest pixel after binning, Å, to half a pixel of the micrograph; contaminants show
in finer detail than large particles."""

_SIDES = 64, 1024
"""Least and largest shorter side after binning, pixels."""

_CONSTANT_WINDOW = 9
"""Side of a window whose pixels are never all equal where there is an image, even in
8 bits or with few electrons; binned pixels."""

_ROUNDING = 1e-6
"""Range of values, relative to the largest, that rounding alone can cause."""


def find_area(
    pixels: NDArray[Any],
    *,
    sampling_rate: float,
    diameter_A: float,
    particles_dark: bool = True,
    find: FindContamination = find_contamination,
) -> UsableArea:
    """Return the mask of a micrograph.

    Parameters
    ----------
    pixels : array, shape (rows, columns)
        Any real type; may be memory-mapped. NaN and infinity are no signal.
    sampling_rate : float
        Å/px.
    diameter_A : float
        Diameter of the particle, Å. Windows in which a micrograph is looked at are in
        proportion.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    find : callable
        What finds contamination.

    Raises
    ------
    ValueError
        If `pixels` is no image, or a number is not positive.
    """
    if pixels.ndim != 2 or not pixels.size:
        raise ValueError(
            f"expected an image of rows and columns, received shape {pixels.shape}"
        )
    if not (sampling_rate > 0 and diameter_A > 0):
        raise ValueError(
            "sampling_rate and diameter_A: expected > 0, received "
            f"{sampling_rate:g} and {diameter_A:g}"
        )
    shape = pixels.shape[0], pixels.shape[1]
    binning = _binning(shape, sampling_rate, diameter_A)
    kinds = find_kinds(
        bin_pixels(pixels, binning),
        pixel_size_A=sampling_rate * binning,
        diameter_A=diameter_A,
        particles_dark=particles_dark,
        find=find,
    )
    # Blocks over the edge, which binning cuts off, are as those beside them.
    lacking = [
        (0, -(-length // binning) - known)
        for length, known in zip(shape, kinds.shape, strict=True)
    ]
    return UsableArea(np.pad(kinds, lacking, mode="edge"), binning, shape)


def _binning(shape: tuple[int, int], sampling_rate: float, diameter_A: float) -> int:
    least, largest = (min(shape) // side for side in reversed(_SIDES))
    enough = int(diameter_A / sampling_rate / _DIAMETER_PX)
    return max(1, least, min(enough, largest, round(_PIXEL_SIZE_A / sampling_rate)))


def find_kinds(
    binned: Float32Array,
    *,
    pixel_size_A: float,
    diameter_A: float,
    particles_dark: bool = True,
    find: FindContamination = find_contamination,
) -> NDArray[np.uint8]:
    """Return the kind of each pixel of a binned image.

    Parameters
    ----------
    binned : array, shape (rows, columns), float32
        The whole micrograph.
    pixel_size_A : float
        Å/px of this image.
    diameter_A : float
        Diameter of the particle, Å.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    find : callable
        What finds contamination.

    Returns
    -------
    array, shape (rows, columns), uint8
        Codes of `AreaKind`.
    """
    (top, bottom), (left, right) = find_padding(binned)
    inside = slice(top, len(binned) - bottom), slice(left, binned.shape[1] - right)
    image, is_finite = centre(binned[inside])
    radius_px = diameter_A / pixel_size_A / 2
    has_signal = ~(_wide_gaps(~is_finite, radius_px) | _is_constant(image))
    kinds = np.full(binned.shape, AreaKind.PADDING, np.uint8)
    found = find(
        image,
        has_signal,
        pixel_size_A=pixel_size_A,
        diameter_A=diameter_A,
        particles_dark=particles_dark,
    )
    found[~has_signal] = AreaKind.NO_SIGNAL
    kinds[inside] = found
    return kinds


def _wide_gaps(is_missing: BoolArray, width_px: float) -> BoolArray:
    """Return the missing pixels of areas wider than this, without dead lines."""
    if not is_missing.any():
        return is_missing
    side = max(1, round(width_px))
    around = np.pad(is_missing, side, mode="edge")  # gaps at the border go on beyond it
    opened = binary_opening(around, np.ones((side, side), bool))
    return np.asarray(opened[side:-side, side:-side])


def _is_constant(image: Float32Array) -> BoolArray:
    """Return the pixels of windows that have one value."""
    high = np.asarray(maximum_filter(image, _CONSTANT_WINDOW))
    low = np.asarray(minimum_filter(image, _CONSTANT_WINDOW))
    largest = np.maximum(np.abs(high), np.abs(low))
    is_flat = np.asarray(high - low <= _ROUNDING * largest)
    return np.asarray(maximum_filter(is_flat, _CONSTANT_WINDOW))

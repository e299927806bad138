# SPDX-License-Identifier: GPL-3.0-or-later
"""Working image of the classical pickers: binned, particles white, padding cut off.

A particle of known diameter is found with few pixels, so micrographs are binned until
its diameter spans about twenty. Binning sums blocks of pixels; it aliases only noise
beyond the frequencies that the pickers use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.classical.contamination import (
    find_padding,
    find_usable_area,
)
from deepconsensus_plugin.core.types import BoolArray, ScoredCoordinates

Float32Array = NDArray[np.float32]

DIAMETER_PX = 20
"""Least diameter after binning, pixels, if the micrograph has as many."""

_PIXEL_STEP = 3
"""Stride of rows and columns from which level and scale are estimated."""

MIN_DIAMETER_PX = 4
"""Least diameter of a particle on the micrograph, pixels."""


@dataclass(frozen=True, eq=False)
class WorkingImage:
    """Binned micrograph, with particles white.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Particles white, median 0, finite.
    is_usable : array, shape (rows, columns), bool
        Where a particle's centre may lie.
    diameter_px : float
        Diameter of the particle, pixels of `image`.
    binning : int
        Micrograph pixels per pixel, along either axis.
    origin_yx : tuple of int
        Position of the first pixel, in binned pixels of the micrograph.
    """

    image: Float32Array
    is_usable: BoolArray
    diameter_px: float
    binning: int
    origin_yx: tuple[int, int]

    def to_micrograph(self, coordinates: ScoredCoordinates) -> ScoredCoordinates:
        """Return coordinates of this image in pixels of the micrograph."""
        binned = coordinates.yx + self.origin_yx
        # The centre of a block of b pixels lies (b - 1) / 2 after its first one.
        yx = binned * self.binning + (self.binning - 1) / 2
        return ScoredCoordinates(yx, coordinates.scores)


def prepare_for_filters(
    pixels: NDArray[Any],
    *,
    diameter_px: float,
    particles_dark: bool = True,
    avoid_contamination: bool = True,
) -> WorkingImage:
    """Return the working image of a micrograph.

    Parameters
    ----------
    pixels : array, shape (rows, columns)
        Any real type; NaN and infinity count as unusable.
    diameter_px : float
        Diameter of the particle, pixels; >= 4.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    avoid_contamination : bool
        Whether carbon, ice and the like are unusable; padding always is.

    Raises
    ------
    ValueError
        If `pixels` is no image, or the particle does not fit.
    """
    if pixels.ndim != 2:
        raise ValueError(
            f"expected an image of rows and columns, received {pixels.shape}"
        )
    if not MIN_DIAMETER_PX <= diameter_px <= min(pixels.shape) / 2:
        raise ValueError(
            f"expected a diameter of {MIN_DIAMETER_PX} px to half of the micrograph "
            f"({min(pixels.shape) / 2:g} px), received {diameter_px:.4g} px"
        )
    binning = max(1, int(diameter_px // DIAMETER_PX))
    binned = _bin(pixels, binning)
    (top, bottom), (left, right) = find_padding(binned)
    inner = binned[top : len(binned) - bottom, left : binned.shape[1] - right]
    image, is_finite = _centred(inner)
    if particles_dark:
        image = -image
    working_diameter = diameter_px / binning
    is_usable = find_usable_area(
        image,
        is_finite,
        diameter_px=working_diameter,
        avoid_contamination=avoid_contamination,
    )
    return WorkingImage(image, is_usable, working_diameter, binning, (top, left))


def _bin(pixels: NDArray[Any], binning: int) -> Float32Array:
    """Return the means of square blocks; incomplete blocks at the end are cut off."""
    rows, columns = (length // binning * binning for length in pixels.shape)
    total = np.zeros((rows // binning, columns // binning), np.float32)
    for y in range(binning):
        lines = np.zeros((rows // binning, columns), np.float32)
        np.add(lines, pixels[y:rows:binning, :columns], out=lines)
        for x in range(binning):
            total += lines[:, x::binning]
    return total / np.float32(binning**2)


def _centred(image: Float32Array) -> tuple[Float32Array, BoolArray]:
    """Return the image with median 0, invalid pixels at 0, and the mask of valid ones.

    The image is also scaled, so that squares of 16-bit counts keep their precision.
    """
    is_finite = np.isfinite(image)
    some = image[::_PIXEL_STEP, ::_PIXEL_STEP]
    values = some[np.isfinite(some)].astype(np.float64)
    if not values.size:
        return np.zeros(image.shape, np.float32), np.zeros(image.shape, dtype=bool)
    scale = np.float32(1 / (values.std() or 1.0))
    centred = (image - np.float32(np.median(values))) * scale
    if not is_finite.all():
        centred[~is_finite] = 0
    return centred, is_finite

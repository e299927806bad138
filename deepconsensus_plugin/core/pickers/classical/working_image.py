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
from scipy.ndimage import binary_dilation

from deepconsensus_plugin.core.types import BoolArray, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.binning import bin_pixels, centre
from deepconsensus_plugin.core.usable_area.contamination import find_contamination
from deepconsensus_plugin.core.usable_area.kinds import AreaKind
from deepconsensus_plugin.core.usable_area.padding import find_padding

Float32Array = NDArray[np.float32]

DIAMETER_PX = 20
"""Least diameter after binning, pixels, if the micrograph has as many."""

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
    sampling_rate: float,
    diameter_A: float,
    particles_dark: bool = True,
    avoid_contamination: bool = True,
) -> WorkingImage:
    """Return the working image of a micrograph.

    Parameters
    ----------
    pixels : array, shape (rows, columns)
        Any real type; NaN and infinity count as unusable.
    sampling_rate : float
        Å/px.
    diameter_A : float
        Diameter of the particle, Å; at least 4 pixels.
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
    diameter_px = diameter_A / sampling_rate
    if not MIN_DIAMETER_PX <= diameter_px <= min(pixels.shape) / 2:
        raise ValueError(
            f"expected a diameter of {MIN_DIAMETER_PX} px to half of the micrograph "
            f"({min(pixels.shape) / 2:g} px), received {diameter_px:.4g} px"
        )
    binning = max(1, int(diameter_px // DIAMETER_PX))
    binned = bin_pixels(pixels, binning)
    (top, bottom), (left, right) = find_padding(binned)
    inner = binned[top : len(binned) - bottom, left : binned.shape[1] - right]
    image, is_finite = centre(inner)
    if particles_dark:
        image = -image
    working_diameter = diameter_px / binning
    if not image.size or image.min() == image.max():
        is_usable = np.zeros(image.shape, dtype=bool)
    else:
        is_usable = _away_from(~is_finite, working_diameter / 2)
    if avoid_contamination and is_usable.any():
        kinds = find_contamination(
            image,
            is_usable,
            pixel_size_A=sampling_rate * binning,
            diameter_A=diameter_A,
            particles_dark=False,
        )
        is_usable &= kinds == AreaKind.USABLE
    return WorkingImage(image, is_usable, working_diameter, binning, (top, left))


def _away_from(is_missing: BoolArray, distance_px: float) -> BoolArray:
    """Return the pixels that are farther from all missing ones than a distance."""
    if not is_missing.any():
        return ~is_missing
    around = np.ones((3, 3), dtype=bool)
    reach = round(distance_px)
    return ~np.asarray(binary_dilation(is_missing, around, iterations=reach))

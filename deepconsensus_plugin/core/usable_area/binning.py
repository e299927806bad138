# SPDX-License-Identifier: GPL-3.0-or-later
"""Binned images that areas are found on: means of blocks, centred and scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import BoolArray

Float32Array = NDArray[np.float32]

_PIXEL_STEP = 3
"""Stride of rows and columns from which level and scale are estimated."""


def bin_pixels(pixels: NDArray[Any], binning: int) -> Float32Array:
    """Return the means of square blocks; incomplete blocks at the end are cut off.

    Parameters
    ----------
    pixels : array, shape (rows, columns)
        Any real type; may be memory-mapped. A block with a value that is not finite
        has no finite mean.
    binning : int
        Side of a block, pixels; >= 1.

    Returns
    -------
    array, shape (rows // binning, columns // binning), float32
    """
    rows, columns = (length // binning * binning for length in pixels.shape)
    total = np.zeros((rows // binning, columns // binning), np.float32)
    for y in range(binning):
        lines = np.zeros((rows // binning, columns), np.float32)
        np.add(lines, pixels[y:rows:binning, :columns], out=lines)
        for x in range(binning):
            total += lines[:, x::binning]
    return total / np.float32(binning**2)


def centre(image: Float32Array) -> tuple[Float32Array, BoolArray]:
    """Return the image with median 0, invalid pixels at 0, and the mask of valid ones.

    The image is also scaled, so that squares of 16-bit counts keep their precision.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        May hold NaN and infinity.
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

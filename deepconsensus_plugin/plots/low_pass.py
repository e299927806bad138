# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-passed pictures of micrographs and boxes, small enough for the eye."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import FloatArray

LOW_PASS_A = 20.0
"""Default low-pass filter of pictures, Å."""
SIGMA_PER_PERIOD = 0.187
"""A Gaussian of this many periods leaves half of the amplitude at that period."""
CONTRAST_PERCENTILES = (0.5, 99.5)
"""Percentiles of a picture that become black and white."""

_SIDE_PX = 1200
"""The longer side of a picture, at most."""


def low_passed(
    image: NDArray[Any], *, sampling_rate: float, low_pass_A: float = LOW_PASS_A
) -> FloatArray:
    """Return a smaller image without what the eye sees as noise only.

    Parameters
    ----------
    image : array, shape (rows, columns)
        Pixels.
    sampling_rate : float
        Å/px.
    low_pass_A : float
        Period of which half of the amplitude is left, Å; 0 for no filter but that of
        the coarser pixels.

    Returns
    -------
    array, float32
        Its longer side has at most 1200 pixels; all finite.
    """
    pixels = np.asarray(image, dtype=np.float32)
    is_finite = np.isfinite(pixels)
    if not is_finite.all():
        level = np.median(pixels[is_finite]) if is_finite.any() else 0.0
        pixels = np.where(is_finite, pixels, np.float32(level))
    step = _binning(pixels.shape)
    # Never less than what the coarser pixels can show; their mean is a part of it.
    sigma_px = max(SIGMA_PER_PERIOD * low_pass_A / sampling_rate, step / 2)
    rest_px = np.sqrt(sigma_px**2 - (step**2 - 1) / 12)
    binned = _block_means(pixels, step)
    smooth = scipy.ndimage.gaussian_filter(binned, rest_px / step, mode="nearest")
    return np.asarray(smooth)


def picture_extent(shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of what `low_passed` makes of a shape, pixels.

    Pixels of the micrograph, from the centre of its first one.
    """
    step = _binning(shape)
    rows, columns = (-(-side // step) * step for side in shape)
    return -0.5, columns - 0.5, rows - 0.5, -0.5


def _binning(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // _SIDE_PX)


def _block_means(pixels: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return the means of blocks of ``step × step``; the border is repeated for it."""
    missing = [-side % step for side in pixels.shape]
    if any(missing):
        pixels = np.pad(pixels, [(0, each) for each in missing], mode="edge")
    rows = sum(pixels[first::step] for first in range(step))
    both = sum(rows[:, first::step] for first in range(step))
    return np.asarray(both / np.float32(step**2), dtype=np.float32)

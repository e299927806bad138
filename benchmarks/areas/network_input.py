# SPDX-License-Identifier: GPL-3.0-or-later
"""Input of the network of contaminants: a micrograph in units of its own contrast.

Three channels: the pixels, their mean and their contrast in windows of a few hundred
ångström, all relative to what is usual on the micrograph and compressed, so that level,
scale and depth of pixels do not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from deepconsensus_plugin.core.types import BoolArray

Float32Array = NDArray[np.float32]

N_CHANNELS = 3

_FINE_A = 120.0
"""Standard deviation of the Gaussian that parts coarse from fine detail, Å."""

_CONTRAST_A = 180.0
"""Standard deviation of the Gaussian in which contrast is measured, Å."""

_MOST_LOG_CONTRAST = 3.0


def network_input(
    image: Float32Array,
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    particles_dark: bool = True,
) -> Float32Array:
    """Return the channels of a binned micrograph.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Of any level and scale; finite where `has_signal`.
    has_signal : array, shape (rows, columns), bool
        Pixels that were recorded; the others are 0 in all channels.
    pixel_size_A : float
        Å/px.
    particles_dark : bool
        Whether particles are darker than their surroundings.

    Returns
    -------
    array, shape (rows, columns, 3), float32
        0 everywhere if the image does not vary.
    """
    channels = np.zeros((*image.shape, N_CHANNELS), np.float32)
    if not has_signal.any():
        return channels
    middle = np.float32(np.median(image[has_signal]))
    centred = np.where(has_signal, image - middle, np.float32(0))
    if not particles_dark:
        centred = -centred
    mean = _smoothed(centred, _FINE_A / pixel_size_A)
    power = _smoothed((centred - mean) ** 2, _CONTRAST_A / pixel_size_A)
    usual = float(np.median(power[has_signal]))
    if not usual > 0:
        return channels
    scale = np.float32(usual**-0.5)
    log_contrast = 0.5 * np.log(np.maximum(power / np.float32(usual), 1e-6))
    channels[..., 0] = np.arcsinh(centred * scale)
    channels[..., 1] = np.arcsinh(mean * scale)
    channels[..., 2] = np.clip(log_contrast, -_MOST_LOG_CONTRAST, _MOST_LOG_CONTRAST)
    channels[~has_signal] = 0
    return channels


def _smoothed(values: Float32Array, sigma: float) -> Float32Array:
    return np.asarray(gaussian_filter(values, sigma, truncate=2.5))

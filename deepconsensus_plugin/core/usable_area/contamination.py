# SPDX-License-Identifier: GPL-3.0-or-later
"""Contamination: carbon, ice crystals, gold and dead areas.

A network finds it (`contaminants`) on images like those that it was trained on. On
others, such as those of large pixels, a rule does: contamination is an area that
differs from most of its micrograph by more than particles can. Its local mean is
further from the usual one than the contrast of a particle, which windows full of
particles do not exceed. Or its local variance exceeds the usual one by the square of
that contrast, four times the largest variance of a mixture of particles and background.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from deepconsensus_plugin.core.robust import OUTLIER_Z, median_and_mad
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.contaminant_network import (
    ContaminantNetwork,
    shipped_network,
)
from deepconsensus_plugin.core.usable_area.contaminants import (
    can_tell_contaminants,
    find_contaminants,
)
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

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


def find_contamination(
    image: Float32Array,
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    diameter_A: float,
    particles_dark: bool = True,
    network: ContaminantNetwork | None = None,
) -> NDArray[np.uint8]:
    """Return the kind of each pixel: usable, a contaminant, or without signal.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Binned, without padding, finite; of any level and scale.
    has_signal : array, shape (rows, columns), bool
        Pixels from which usual values are estimated.
    pixel_size_A : float
        Å/px.
    diameter_A : float
        Diameter of the particle, Å.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    network : ContaminantNetwork, optional
        Network of contaminants. None: the one that is part of the package.

    Returns
    -------
    array, shape (rows, columns), uint8
        Codes of `AreaKind`.
    """
    by_rule = find_by_rule(
        image, has_signal, pixel_size_A=pixel_size_A, diameter_A=diameter_A
    )
    if not can_tell_contaminants(
        image.shape, pixel_size_A=pixel_size_A, diameter_A=diameter_A
    ):
        return by_rule
    kinds = find_contaminants(
        image if particles_dark else -image,
        has_signal,
        pixel_size_A=pixel_size_A,
        diameter_A=diameter_A,
        network=network or shipped_network(),
    )
    return np.where(by_rule == AreaKind.NO_SIGNAL, by_rule, kinds)


def find_by_rule(
    image: Float32Array,
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    diameter_A: float,
) -> NDArray[np.uint8]:
    """Return the kind of each pixel: usable, contamination, or without signal.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Binned, without padding, finite; of any contrast and scale.
    has_signal : array, shape (rows, columns), bool
        Pixels from which usual values are estimated.
    pixel_size_A : float
        Å/px.
    diameter_A : float
        Diameter of the particle, Å.

    Returns
    -------
    array, shape (rows, columns), uint8
        Codes of `AreaKind`.
    """
    kinds = np.full(image.shape, AreaKind.USABLE, np.uint8)
    some = (slice(None, None, _PIXEL_STEP),) * 2
    if not has_signal[some].any():
        return kinds

    def sample(values: Float32Array) -> FloatArray:
        return np.asarray(values[some][has_signal[some]], dtype=np.float64)

    diameter_px = diameter_A / pixel_size_A
    mean = _local_mean(image, _MEAN_WINDOW * diameter_px)
    blobs = sample(_local_mean(image, _PARTICLE_WINDOW * diameter_px)) - sample(mean)
    middle, spread = median_and_mad(sample(mean))
    bright, dark = (
        max(OUTLIER_Z * spread, abs(float(np.quantile(blobs, q) - np.median(blobs))))
        for q in (_CONTRAST_QUANTILE, 1 - _CONTRAST_QUANTILE)
    )
    is_odd = (mean > middle + bright) | (mean < middle - dark)

    fine = image - _local_mean(image, _VARIANCE_WINDOW * diameter_px)
    variance = _local_mean(fine * fine, _VARIANCE_WINDOW * diameter_px)
    middle, spread = median_and_mad(sample(variance))
    most = middle + max(OUTLIER_Z * spread, max(bright, dark) ** 2)
    kinds[is_odd | (variance > most)] = AreaKind.CONTAMINATION
    kinds[variance < _DEAD * middle] = AreaKind.NO_SIGNAL
    return kinds


def _local_mean(image: Float32Array, width_px: float) -> Float32Array:
    """Return the mean of the odd square window nearest to `width_px`."""
    return np.asarray(uniform_filter(image, round(width_px) // 2 * 2 + 1))

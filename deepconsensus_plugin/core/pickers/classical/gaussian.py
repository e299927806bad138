# SPDX-License-Identifier: GPL-3.0-or-later
"""Difference of Gaussians: blobs of the particle's size (Voss *et al.*, 2009).

The difference of the images smoothed by a Gaussian and by one `_RATIO` times as wide is
a band-pass filter. With a ratio near 1 it is the Laplacian of a Gaussian, whose
response is largest for a disc whose rim lies where the kernel changes sign.
"""

from __future__ import annotations

import math

import numpy as np

from deepconsensus_plugin.core.pickers.classical.filtering import (
    ReflectedSpectrum,
    gaussian,
)
from deepconsensus_plugin.core.pickers.classical.working_image import WorkingImage
from deepconsensus_plugin.core.robust import median_and_mad
from deepconsensus_plugin.core.types import FloatArray

_RATIO = 1.1
"""Ratio of the two widths; the factor k of Voss *et al.*"""

_REACH_IN_SIGMA = 4

_PLACE_STEP = 5
"""Stride of the places that estimate the noise; the filtered image is smooth."""


def score_by_gaussians(working: WorkingImage) -> FloatArray:
    """Return the response of each place to a blob of the particle's size.

    Parameters
    ----------
    working : WorkingImage
        Particles white.

    Returns
    -------
    array, shape of the image
        In noise units: 0 is the median and 1 the robust deviation over the usable area
        of this micrograph, so that a piece of carbon or ice does not set the scale. All
        0 where there is no variation.
    """
    narrow = gaussian_width(working.diameter_px / 2)
    wide = _RATIO * narrow
    spectrum = ReflectedSpectrum.of(
        working.image, margin=math.ceil(_REACH_IN_SIGMA * wide)
    )
    frequency = spectrum.frequency()
    band = gaussian(frequency, narrow) - gaussian(frequency, wide)
    blobs = spectrum.filtered(band)
    usable = blobs[working.is_usable][::_PLACE_STEP]
    if not usable.size or not np.ptp(usable) > 0:
        return np.zeros(blobs.shape)
    middle, spread = median_and_mad(usable)
    if not spread > 0:  # most of it is flat
        spread = float(usable.std(dtype=np.float64))
    return np.asarray((blobs - middle) / spread)


def gaussian_width(radius_px: float) -> float:
    """Return σ of the narrow Gaussian whose difference changes sign at a radius.

    exp(-r²/2σ²)/σ² = exp(-r²/2k²σ²)/k²σ², solved for σ; r/√2 as k goes to 1.
    """
    k = _RATIO
    return radius_px * math.sqrt((k**2 - 1) / (4 * k**2 * math.log(k)))

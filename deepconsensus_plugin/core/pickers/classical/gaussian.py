# SPDX-License-Identifier: GPL-3.0-or-later
"""Difference of Gaussians: blobs of the particle's size (Voss *et al.*, 2009).

The difference of the images smoothed by a Gaussian and by one `_RATIO` times as wide is
a band-pass filter. With a ratio near 1 it is the Laplacian of a Gaussian, whose
response is largest for a disc whose rim lies where the kernel changes sign.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import numpy as np
import scipy.fft

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

_DIRECTIONS = 8
"""Directions of the long axis of ellipses."""

_LENGTH = 0.75
"""Length of ellipses, longest diameters: particles are seen from all sides."""

_PLACE_STEP = 5
"""Stride of the places that estimate the noise; the filtered image is smooth."""


def score_by_gaussians(working: WorkingImage, *, elongation: float = 1.0) -> FloatArray:
    """Return the response of each place to a blob of the particle's size.

    Parameters
    ----------
    working : WorkingImage
        Particles white; its diameter is the geometric mean of an elongated particle's.
    elongation : float
        Ratio of the particle's longest diameter to its shortest, >= 1. Above 1, blobs
        are ellipses, and the response is the largest of eight directions.

    Returns
    -------
    array, shape of the image
        In noise units: 0 is the median and 1 the robust deviation over the usable area
        of this micrograph, so that a piece of carbon or ice does not set the scale. All
        0 where there is no variation.
    """
    narrow = gaussian_width(working.diameter_px / 2)
    longest = narrow * math.sqrt(elongation)
    spectrum = ReflectedSpectrum.of(
        working.image, margin=math.ceil(_REACH_IN_SIGMA * _RATIO * longest)
    )
    if elongation == 1:
        return _standardised(spectrum, spectrum.frequency(), narrow, working)
    responses = (
        _standardised(spectrum, frequency, 1.0, working)
        for frequency in _elliptic_frequencies(
            spectrum, _LENGTH * longest, narrow / math.sqrt(elongation)
        )
    )
    return functools.reduce(np.maximum, responses)


def _elliptic_frequencies(
    spectrum: ReflectedSpectrum, along_px: float, across_px: float
) -> Iterator[FloatArray]:
    """Yield frequencies for which an ellipse is a disc of σ 1, in each direction."""
    rows, columns = spectrum.padded
    y = scipy.fft.fftfreq(rows).astype(np.float32)[:, None]
    x = scipy.fft.rfftfreq(columns).astype(np.float32)[None, :]
    for angle in np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        along = np.float32(along_px) * (cosine * y + sine * x)
        across = np.float32(across_px) * (cosine * x - sine * y)
        yield np.hypot(along, across)


def _standardised(
    spectrum: ReflectedSpectrum,
    frequency: FloatArray,
    narrow: float,
    working: WorkingImage,
) -> FloatArray:
    """Return the response to a blob in deviations of the usable area."""
    band = gaussian(frequency, narrow) - gaussian(frequency, _RATIO * narrow)
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Mean surroundings of places, and of the peaks of noise with the same spectrum."""

from __future__ import annotations

import math

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.classical.filtering import ReflectedSpectrum
from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]

RADII = np.arange(24) / 16
"""Radii of profiles, in trial diameters."""


def mean_profile(
    image: Float32Array, yx: FloatArray, *, diameter_px: float
) -> FloatArray:
    """Return the mean radial profile of an image about places, at `RADII`.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Any image.
    yx : array, shape (n, 2), n >= 1
        Places, pixels.
    diameter_px : float
        Unit of the radii, pixels.
    """
    reach = _reach(diameter_px)
    padded = np.pad(image, reach, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (2 * reach + 1, 2 * reach + 1)
    )
    last = np.subtract(image.shape, 1)
    nearest = np.clip(np.rint(yx).astype(np.intp), 0, last)
    mean = windows[tuple(nearest.T)].mean(axis=0, dtype=np.float64)
    return _radial(mean, diameter_px)


def noise_profile(
    spectrum: ReflectedSpectrum, transfer: FloatArray, *, diameter_px: float
) -> FloatArray:
    """Return the profile about a peak of Gaussian noise, at `RADII`.

    The mean of noise, given its filtered value at a place, is in proportion to the
    covariance of both: the inverse transform of the power spectrum times the transfer.

    Parameters
    ----------
    spectrum : ReflectedSpectrum
        Spectrum whose power the noise has.
    transfer : array
        Transfer of the filter, times that of whatever the profile is shown through.
    diameter_px : float
        Unit of the radii, pixels.
    """
    power = np.abs(spectrum.spectrum) ** 2
    field = scipy.fft.irfft2(power * transfer, s=spectrum.padded)
    reach = _reach(diameter_px)
    axis = np.arange(-reach, reach + 1)
    covariance = field[np.ix_(axis, axis)].astype(np.float64)
    return _radial(covariance / math.prod(spectrum.padded), diameter_px)


def _reach(diameter_px: float) -> int:
    return math.ceil(float(RADII[-1]) * diameter_px) + 1


def _radial(box: FloatArray, diameter_px: float) -> FloatArray:
    """Return the radial profile of a box about its middle, at `RADII`."""
    axis = np.arange(len(box)) - len(box) // 2
    half_px = np.rint(2 * np.hypot(axis[:, None], axis[None, :])).astype(np.intp)
    sums = np.bincount(half_px.ravel(), weights=box.ravel())
    counts = np.bincount(half_px.ravel())
    known = np.flatnonzero(counts)
    means = sums[known] / counts[known]
    return np.asarray(np.interp(RADII * diameter_px, known / 2, means))

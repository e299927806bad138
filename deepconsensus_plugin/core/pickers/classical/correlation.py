# SPDX-License-Identifier: GPL-3.0-or-later
"""Normalised local correlation with a round reference (Roseman, 2003).

The reference is a radial profile, hence the rotational average of any template. At
every place it is correlated with the image under its circular mask, both at mean 0 and
deviation 1 there, so that ice thickness and contrast cancel. Local sums are
correlations with the mask itself, computed by Fourier transforms, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np

from deepconsensus_plugin.core.pickers.classical.filtering import (
    ComplexArray,
    ReflectedSpectrum,
    transform_kernel,
)
from deepconsensus_plugin.core.pickers.classical.working_image import WorkingImage
from deepconsensus_plugin.core.types import BoolArray, FloatArray

_MASK_RADIUS = 0.75
"""Radius of the circular mask, in diameters: the particle and its surroundings."""

_RING_FROM = 0.3
"""Inner radius of the ring, in diameters."""

_FLATTEST = 1e-3
"""Lower bound of the local deviation, relative to the usual one."""


class Reference(Enum):
    """Reference that is correlated with the image."""

    LEARNT = "learnt"
    """Mean radial profile of the particles, learnt from the micrographs."""

    DISC = "disc"
    RING = "ring"


def reference_profile(reference: Reference, *, diameter_px: float) -> FloatArray:
    """Return the radial profile of a disc or ring; learning starts from the disc.

    Parameters
    ----------
    reference : Reference
        Reference that is correlated with the image.
    diameter_px : float
        Diameter of the particle, pixels.

    Returns
    -------
    array, shape (n,)
        Values at radii of 0, 1, … pixels, to the rim of the mask; particles positive.
    """
    radius = np.arange(round(_MASK_RADIUS * diameter_px) + 1)
    is_inside = radius <= diameter_px / 2
    if reference is Reference.RING:
        is_inside &= radius >= _RING_FROM * diameter_px
    return is_inside.astype(np.float64)


def score_by_correlation(working: WorkingImage, profile: FloatArray) -> FloatArray:
    """Return the normalised local correlation at every place.

    Parameters
    ----------
    working : WorkingImage
        Particles white.
    profile : array, shape (n,)
        Radial profile of the reference, n >= 2; not constant.

    Returns
    -------
    array, shape of the image
        -1 to 1; 1 is the reference itself, at any contrast and level.
    """
    margin = len(profile) - 1
    spectrum = ReflectedSpectrum.of(working.image, margin=margin)
    squares = ReflectedSpectrum.of(working.image**2, margin=margin)
    filters = _filters(tuple(profile.tolist()), spectrum.padded)
    # Kernels are symmetric: convolving is correlating.
    overlap = spectrum.filtered(filters.reference)
    total = spectrum.filtered(filters.mask)
    energy = squares.filtered(filters.mask) - total * total / filters.n_pixels
    floor = _FLATTEST**2 * float(energy.mean())
    if not floor > 0:
        return np.zeros(overlap.shape)
    return np.asarray(np.clip(overlap / np.sqrt(np.maximum(energy, floor)), -1, 1))


@dataclass(frozen=True, eq=False)
class _Filters:
    """Transfers of the reference and of its mask; pixels of the mask."""

    reference: ComplexArray
    mask: ComplexArray
    n_pixels: int


@lru_cache(maxsize=2)  # the same for all micrographs of a set
def _filters(profile: tuple[float, ...], padded: tuple[int, int]) -> _Filters:
    kernel, mask = _unit_kernel(np.array(profile))
    return _Filters(
        transform_kernel(kernel, padded),
        transform_kernel(mask.astype(np.float64), padded),
        int(mask.sum()),
    )


def _unit_kernel(profile: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the profile as an image of mean 0 and unit norm under its round mask."""
    radius = _radius(len(profile) - 1)
    mask = radius <= len(profile) - 1
    kernel = np.interp(radius, np.arange(len(profile)), profile)
    kernel = np.where(mask, kernel - kernel[mask].mean(), 0)
    return kernel / np.linalg.norm(kernel), mask


def _radius(reach: int) -> FloatArray:
    axis = np.arange(-reach, reach + 1)
    return np.asarray(np.hypot(axis[:, None], axis[None, :]))


def mean_profile(working: WorkingImage, yx: FloatArray, *, length: int) -> FloatArray:
    """Return the mean radial profile of boxes at unit deviation.

    Parameters
    ----------
    working : WorkingImage
        Particles white.
    yx : array, shape (m, 2)
        Centres, pixels of the working image.
    length : int
        Radii 0, 1, … of the profile.

    Returns
    -------
    array, shape (length,)
        All 0 without any places.
    """
    if not len(yx):
        return np.zeros(length)
    reach = length - 1
    continued = np.pad(working.image, reach, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(
        continued, (2 * reach + 1, 2 * reach + 1)
    )
    last = np.subtract(working.image.shape, 1)
    nearest = np.clip(np.rint(yx).astype(np.intp), 0, last)
    boxes = windows[tuple(nearest.T)].astype(np.float64)
    boxes -= boxes.mean(axis=(1, 2), keepdims=True)
    deviation = boxes.std(axis=(1, 2), keepdims=True)
    mean = (boxes / np.where(deviation > 0, deviation, 1)).mean(axis=0)
    ring = np.rint(_radius(reach)).astype(np.intp)
    is_inside = ring <= reach
    sums = np.bincount(ring[is_inside], weights=mean[is_inside])
    return np.asarray(sums / np.bincount(ring[is_inside]))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Normalisation of micrographs to one grey scale (Bepler et al. 2019).

As in the paper's Methods 2, the pixels of all micrographs are a mixture of two Gaussian
components, ice and darker areas such as carbon, and every micrograph has its own scale
(`pixel_mixture`). A pixel is divided by its micrograph's scale, and standardised to the
dominant component.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.trained.pixel_mixture import (
    PixelBins,
    PixelMixture,
    fit_pixel_mixture,
    fit_scales,
    summarise_pixels,
)
from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]


class Normalisation(enum.Enum):
    """Method that brings micrographs to one grey scale."""

    STANDARD = "standard"
    """Mean 0 and deviation 1 of each micrograph."""

    COMMON_MIXTURE = "common"
    """Micrographs share a mixture up to a scale, as in the paper. For raw exposures,
    which differ by a factor only."""

    PER_MICROGRAPH = "per-micrograph"
    """Each micrograph has its own mixture. For micrographs that differ in offset,
    too."""


def fit_mixture_of_micrographs(
    samples: Iterable[NDArray[Any]],
) -> tuple[PixelMixture, FloatArray]:
    """Return the mixture that micrographs have in common, and the scale of each.

    Parameters
    ----------
    samples : iterable of arrays of any shape
        All pixels of each micrograph, or a sample; values that are not finite are
        ignored. One array is in memory at a time.

    Returns
    -------
    mixture : PixelMixture
        Mixture of a micrograph of scale 1.
    scales : array, shape (n,), > 0
        In the order of `samples`; 1 for a micrograph whose pixels are all equal, which
        is left out of the fit.

    Raises
    ------
    ValueError
        If there is no micrograph whose pixels differ.
    """
    summaries = [summarise_pixels(sample) for sample in samples]
    varied = [summary for summary in summaries if summary is not None]
    if not varied:
        raise ValueError(
            f"expected a micrograph whose pixels differ, received {len(summaries)} "
            "without any"
        )
    mixture, of_varied = fit_pixel_mixture(PixelBins.of(varied))
    scales = np.ones(len(summaries))
    scales[[summary is not None for summary in summaries]] = of_varied
    return mixture, scales


def scale_of(sample: NDArray[Any], mixture: PixelMixture) -> float:
    """Return the scale of a micrograph, which need not be one of those of the fit.

    Parameters
    ----------
    sample : array of any shape
        All its pixels, or a sample; values that are not finite are ignored.
    mixture : PixelMixture
        Mixture of micrographs of scale 1.

    Returns
    -------
    float
        > 0. 1 if all pixels are equal.
    """
    summary = summarise_pixels(sample)
    if summary is None:
        return 1.0
    return float(fit_scales(PixelBins.of([summary]), mixture)[0])


def normalise_pixels(
    image: NDArray[Any], mixture: PixelMixture, scale: float
) -> Float32Array:
    """Return a micrograph divided by its scale and standardised by the main component.

    Parameters
    ----------
    image : array, shape (rows, columns)
        Values that are not finite become 0, the mean of the dominant component.
    mixture : PixelMixture
        Mixture of micrographs of scale 1.
    scale : float
        Scale of the micrograph, > 0.

    Returns
    -------
    array, shape (rows, columns), float32
        All zero if all pixels are equal.
    """
    mean, deviation = mixture.dominant
    level, gain = mean * scale, 1 / (deviation * scale)
    normalised = (np.asarray(image, np.float32) - np.float32(level)) * np.float32(gain)
    is_finite = np.isfinite(normalised)
    if not is_finite.all():
        normalised[~is_finite] = 0
    return np.zeros_like(normalised) if np.ptp(normalised) == 0 else normalised


def normalise_micrograph(
    image: NDArray[Any], normalisation: Normalisation, mixture: PixelMixture | None
) -> Float32Array:
    """Return a micrograph on the common grey scale.

    Parameters
    ----------
    image : array, shape (rows, columns)
        Values that are not finite become 0.
    normalisation : Normalisation
        Method of normalisation.
    mixture : PixelMixture, optional
        Mixture of all micrographs, for the method that needs it.

    Returns
    -------
    array, shape (rows, columns), float32
        All zero if all pixels are equal.

    Raises
    ------
    ValueError
        If the common mixture is wanted and not given.
    """
    if normalisation is Normalisation.COMMON_MIXTURE:
        if mixture is None:
            raise ValueError("expected the mixture of all micrographs, received none")
        return normalise_pixels(image, mixture, scale_of(image, mixture))
    summary = summarise_pixels(image)
    if summary is None:
        return np.zeros(image.shape, np.float32)
    if normalisation is Normalisation.STANDARD:
        finite = image[np.isfinite(image)]
        own = PixelMixture((1.0,), (float(finite.mean()),), (float(finite.std()),))
    else:
        own, _ = fit_pixel_mixture(PixelBins.of([summary]))
    return normalise_pixels(image, own, 1.0)

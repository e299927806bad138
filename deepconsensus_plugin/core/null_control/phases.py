# SPDX-License-Identifier: GPL-3.0-or-later
"""Image with the spectrum of a micrograph and random phases: noise without particles.

A picker that finds as much on such an image as on the micrograph has found nothing but
noise. Randomised phases are the classical surrogate of a random field (Theiler *et
al.*, *Physica D* 58, 77, 1992); cryo-EM uses them to measure overfitting (Chen *et
al.*, *Ultramicroscopy* 135, 24, 2013).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import BoolArray

Float32Array = NDArray[np.float32]


def randomise_phases(
    image: NDArray[Any],
    rng: np.random.Generator,
    *,
    is_usable: BoolArray | None = None,
) -> Float32Array:
    """Return an image of noise with the power spectrum of another image.

    The image is continued by its mirror images, so that nothing leaks from one border
    to the opposite one. Its power spectrum is therefore averaged over directions that
    mirror each other.

    Parameters
    ----------
    image : array, shape (rows, columns)
        Any real type. Pixels that are not finite are not used.
    rng : numpy.random.Generator
        Source of the phases.
    is_usable : array, shape (rows, columns), bool, optional
        Which pixels tell the spectrum: leave out padding, carbon and the like. Default:
        all finite pixels.

    Returns
    -------
    array, shape (rows, columns), float32
        Noise everywhere, also where the image is unusable, with the mean and the
        deviation of the usable pixels. Constant where these are.

    Raises
    ------
    ValueError
        If `image` is no image or has no usable pixel.
    """
    if image.ndim != 2:
        raise ValueError(
            f"expected an image of rows and columns, received shape {image.shape}"
        )
    known = np.isfinite(image) if is_usable is None else np.isfinite(image) & is_usable
    if not known.any():
        raise ValueError("expected an image, received one without any usable pixel")
    values = np.where(known, image, 0).astype(np.float32)
    mean = values.sum(dtype=np.float64) / known.sum()
    values = np.where(known, values - np.float32(mean), np.float32(0))
    deviation = np.sqrt(np.square(values, dtype=np.float64).sum() / known.sum())
    noise = _shuffle(values, rng)
    spread = float(noise.std(dtype=np.float64))
    noise *= np.float32(deviation / spread if spread > 0 else 0)
    return noise + np.float32(mean)


def _shuffle(values: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Return noise with the spectrum of an image of mean 0, continued by its mirror."""
    rows, columns = values.shape
    amplitude = np.abs(scipy.fft.rfft2(_mirrored(values)))
    # White noise gives phases with the symmetry of a real image.
    noise = scipy.fft.rfft2(
        rng.standard_normal((2 * rows, 2 * columns), dtype=np.float32)
    )
    size = np.abs(noise)
    noise *= amplitude / np.where(size > 0, size, 1)
    field = scipy.fft.irfft2(noise, s=(2 * rows, 2 * columns))
    return np.asarray(field[:rows, :columns], dtype=np.float32)


def _mirrored(values: Float32Array) -> Float32Array:
    rows, columns = values.shape
    return np.pad(values, ((0, rows), (0, columns)), mode="symmetric")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Rescaling of micrographs to the particle size that the network knows (section 4.1).

Micrographs of larger particles are downsampled as for all pickers; those of smaller
particles are enlarged by cubic splines. Before that, structures wider than particles,
such as carbon and gradients of ice, are subtracted (not in the thesis).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.trained.prepared import PreparedMicrograph
from deepconsensus_plugin.core.robust import median_and_mad
from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]

_LIMIT = 8.0
"""Limit at which values are clipped, deviations of the background."""

_SAMPLE = 1_000_000
"""Number of pixels from which the background's level is estimated."""


@dataclass(frozen=True, eq=False)
class RescaledMicrograph:
    """Micrograph rescaled for the network, or from which crops are extracted.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Particles dark.
    prepared : PreparedMicrograph
        Micrograph that was rescaled.
    zoom : float
        Pixels of `image` along one of the prepared micrograph.
    """

    image: Float32Array
    prepared: PreparedMicrograph
    zoom: float

    def to_micrograph(self, yx: FloatArray) -> FloatArray:
        """Return positions ``yx`` of the image, in the micrograph."""
        return self.prepared.grid.to_micrograph((yx + 0.5) / self.zoom - 0.5)


def flatten(image: Float32Array, diameter_px: float) -> Float32Array:
    """Return an image without structures wider than a particle.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        A micrograph.
    diameter_px : float
        Diameter of a particle, pixels of the image; > 0.

    Returns
    -------
    array, shape (rows, columns), float32
        Difference from the local mean, weighted by a Gaussian as wide as a particle, in
        deviations of the background. Values are clipped to ±8, so that dirt does not
        dominate means over an image.

    Raises
    ------
    ValueError
        If the diameter is not positive.
    """
    if not diameter_px > 0:
        raise ValueError(f"diameter must be > 0, received {diameter_px}")
    around = scipy.ndimage.gaussian_filter(image, diameter_px, truncate=2.5)
    flat: Float32Array = image - around
    _, deviation = background_level(flat)
    if deviation > 0:
        flat /= np.float32(deviation)
    return np.clip(flat, -_LIMIT, _LIMIT, out=flat)


def enlarge(image: Float32Array, zoom: float) -> Float32Array:
    """Return an image with `zoom` pixels for each; its corners stay where they are.

    Raises
    ------
    ValueError
        If `zoom` is not positive.
    """
    if not zoom > 0:
        raise ValueError(f"zoom must be > 0, received {zoom}")
    if zoom == 1:
        return image
    shape = tuple(max(1, round(length * zoom)) for length in image.shape)
    enlarged = scipy.ndimage.affine_transform(
        image,
        np.eye(2) / zoom,
        offset=0.5 / zoom - 0.5,
        output_shape=shape,
        output=np.float32,
        order=3,
        mode="mirror",
    )
    return np.asarray(enlarged)


def background_level(image: Float32Array) -> tuple[float, float]:
    """Return the mean and deviation of the background of a micrograph."""
    stride = max(1, image.size // _SAMPLE)
    return median_and_mad(image.ravel()[::stride])


def pad_with_noise(image: Float32Array, width: int) -> Float32Array:
    """Return an image with a border of Gaussian noise like its background."""
    rng = np.random.default_rng(image.shape)
    mean, deviation = background_level(image)
    shape = tuple(length + 2 * width for length in image.shape)
    padded = rng.standard_normal(shape, dtype=np.float32)
    padded *= np.float32(deviation)
    padded += np.float32(mean)
    padded[width : width + image.shape[0], width : width + image.shape[1]] = image
    return padded

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training crops of HydraPicker (section 4.3): random places, rotated and mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.hydra.anchors import encode
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture
from deepconsensus_plugin.core.pickers.hydra.rescaling import background_level
from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DetectionImage:
    """Prepared micrograph with its particles.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Level (`rescaling.flatten`), particles dark.
    centres_yx : array, shape (n, 2)
        Centres of all particles, pixels of `image`.
    zoom : float
        Pixels of the network per pixel of `image`.
    """

    image: Float32Array
    centres_yx: FloatArray
    zoom: float


class Crops:
    """Generator of training crops of one data set.

    Parameters
    ----------
    images : sequence of DetectionImage
        At least one.
    architecture : HydraArchitecture
        Architecture, which gives the size of crops and the positions of anchors.
    size_jitter : float
        Largest relative change of the particles' size.
    noise : float
        Largest deviation of the added noise, relative to the background's.
    filtering : float
        Strength of the change of contrast transfer (`random_transfer`).
    """

    def __init__(
        self,
        images: Sequence[DetectionImage],
        architecture: HydraArchitecture,
        *,
        size_jitter: float,
        noise: float = 0.0,
        filtering: float = 0.0,
    ) -> None:
        self._images, self._architecture = images, architecture
        self._jitter, self._noise, self._filtering = size_jitter, noise, filtering
        # Splines of the third order keep the noise as it is; lines would smooth it.
        self._splines = [
            scipy.ndimage.spline_filter(each.image, output=np.float32, mode="mirror")
            for each in images
        ]
        self._levels = [background_level(each.image) for each in images]

    def batch(
        self, size: int, rng: np.random.Generator
    ) -> tuple[Float32Array, Float32Array]:
        """Return crops, shape (size, side, side, 1), and their targets.

        Raises
        ------
        ValueError
            If `size` is not positive.
        """
        if size < 1:
            raise ValueError(f"size must be >= 1, received {size}")
        drawn = [self._draw(rng) for _ in range(size)]
        crops, targets = zip(*drawn, strict=True)
        return np.stack(crops)[..., None], np.stack(targets)

    def _draw(self, rng: np.random.Generator) -> tuple[Float32Array, Float32Array]:
        """Return a random crop of a random micrograph, and its target."""
        index = int(rng.integers(len(self._images)))
        whole = self._images[index]
        zoom = whole.zoom * (1 + self._jitter) ** rng.uniform(-1, 1)
        middle = rng.uniform(0, 1, 2) * whole.image.shape - 0.5
        to_crop = _random_turn(rng) * zoom
        from_crop = np.linalg.inv(to_crop)
        side = self._architecture.crop_px
        first = middle - from_crop @ np.full(2, (side - 1) / 2)
        crop = self._filter(self._cut(index, from_crop, first, rng), rng)
        crop = self._add_noise(crop, rng)
        centres = (whole.centres_yx - middle) @ to_crop.T + (side - 1) / 2
        n_anchors = side // self._architecture.step
        return crop, encode(centres, n_anchors, self._architecture)

    def _filter(self, crop: Float32Array, rng: np.random.Generator) -> Float32Array:
        """Return a crop with the contrast transfer of another microscope."""
        if self._filtering == 0:
            return crop
        transfer = random_transfer(
            crop.shape[0], self._filtering, self._architecture.particle_px, rng
        )
        changed = scipy.fft.rfft2(crop) * transfer
        return np.asarray(scipy.fft.irfft2(changed, s=crop.shape))

    def _add_noise(self, crop: Float32Array, rng: np.random.Generator) -> Float32Array:
        """Return a crop with the noise of a lower dose, on the same scale."""
        if self._noise == 0:
            return crop
        deviation = rng.uniform(0, self._noise)
        noise = rng.standard_normal(crop.shape, dtype=np.float32)
        noise *= np.float32(deviation)
        return np.asarray((crop + noise) * np.float32((1 + deviation**2) ** -0.5))

    def _cut(
        self,
        index: int,
        from_crop: FloatArray,
        first: FloatArray,
        rng: np.random.Generator,
    ) -> Float32Array:
        """Return the pixels; those outside the image are noise like the background."""
        side = self._architecture.crop_px
        crop: Float32Array = scipy.ndimage.affine_transform(
            self._splines[index],
            from_crop,
            offset=first,
            output_shape=(side, side),
            output=np.float32,
            order=3,
            mode="mirror",
            prefilter=False,
        )
        axis = np.arange(side)
        y, x = from_crop @ np.stack(np.meshgrid(axis, axis, indexing="ij")).reshape(
            2, -1
        ) + first.reshape(2, 1)
        rows, columns = self._images[index].image.shape
        is_inside = (-0.5 <= y) & (y < rows - 0.5) & (-0.5 <= x) & (x < columns - 0.5)
        if is_inside.all():
            return crop
        mean, deviation = self._levels[index]
        noise = rng.normal(mean, deviation, (side, side)).astype(np.float32)
        return np.where(is_inside.reshape(side, side), crop, noise)


def random_transfer(
    side: int, strength: float, particle_px: float, rng: np.random.Generator
) -> Float32Array:
    """Return a random transfer function for square images.

    High frequencies are damped or enhanced, as by another B-factor, detector or filter.
    Frequencies of the size of particles are damped, as closer to focus.

    Parameters
    ----------
    side : int
        Pixels.
    strength : float
        Largest change, >= 0: a factor of e to this power at the Nyquist frequency, and
        a loss of this fraction, at most 0.8, at the lowest frequencies.
    particle_px : float
        Diameter of particles, pixels.
    rng : Generator
        Generator of both changes.

    Returns
    -------
    array, shape (side, side // 2 + 1), float32
        For `scipy.fft.rfft2`.
    """
    y, x = scipy.fft.fftfreq(side), scipy.fft.rfftfreq(side)
    f2 = y[:, None] ** 2 + x**2
    fine = rng.uniform(-strength, strength)
    coarse = rng.uniform(0, min(strength, 0.8))
    dip = 1 - coarse * np.exp(-f2 * particle_px**2 / 2)
    return np.asarray(np.exp(4 * fine * f2) * dip, dtype=np.float32)


def _random_turn(rng: np.random.Generator) -> FloatArray:
    """Return a random rotation, mirrored or not, shape (2, 2)."""
    angle, mirror = rng.uniform(0, 2 * np.pi), rng.choice([-1.0, 1.0])
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine * mirror], [sine, cosine * mirror]])

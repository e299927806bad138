# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes as spectra in polar coordinates, where shifts and rotations are products.

A spectrum is sampled on half circles; on each, Fourier coefficients over the angle are
taken. A shift multiplies the samples by a phase and a rotation the coefficients, so
that neither needs another interpolation. The centre is the pixel ``size // 2``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]
ComplexArray = NDArray[np.complex64]

_ANGLES_PER_RING = 2.2
"""Half circles hold one angle for every oscillation of an object that fills the mask:
2π · (0.35 of the box) · frequency."""


@dataclass(frozen=True)
class PolarTransform:
    """Transform of boxes to polar spectra and back.

    Parameters
    ----------
    size : int
        Side of the boxes, pixels.
    n_rings : int
        Highest frequency, oscillations per box; the rings are 1 … `n_rings`.
    mask_radius : float
        Radius of the mask, pixels; what lies outside is not seen.
    mask_edge : float
        Width over which the mask falls from 1 to 0, beyond the radius.
    """

    size: int
    n_rings: int
    mask_radius: float
    mask_edge: float = 3.0

    @property
    def n_angles(self) -> int:
        """Number of angles on a half circle, and of angular coefficients."""
        return math.ceil(_ANGLES_PER_RING * self.n_rings)

    @property
    def angle_step(self) -> float:
        """Distance of neighbouring angles, radians."""
        return math.pi / self.n_angles

    @cached_property
    def rings(self) -> Float32Array:
        """Frequencies of the rings, oscillations per box."""
        return np.arange(1, self.n_rings + 1, dtype=np.float32)

    @cached_property
    def mask(self) -> Float32Array:
        """Weight of each pixel, shape (size, size)."""
        axis = np.arange(self.size) - self.size // 2
        radius = np.hypot(axis[:, None], axis[None, :])
        beyond = np.clip((radius - self.mask_radius) / self.mask_edge, 0, 1)
        return np.asarray(0.5 + 0.5 * np.cos(np.pi * beyond), dtype=np.float32)

    def sample(self, boxes: Float32Array) -> ComplexArray:
        """Return the spectra of masked boxes, shape (n, rings, angles).

        Parameters
        ----------
        boxes : array, shape (n, size, size)
            The mean within the mask is subtracted.
        """
        level = np.tensordot(boxes, self.mask, 2) / self.mask.sum()
        masked = (boxes - level[:, None, None].astype(np.float32)) * self.mask
        flat = masked.reshape(len(boxes), self.size**2)
        spectra = np.empty((len(boxes), self.n_rings * self.n_angles), np.complex64)
        spectra.real, spectra.imag = flat @ self._cosines, flat @ self._sines
        return spectra.reshape(len(boxes), self.n_rings, self.n_angles)

    def move(self, samples: ComplexArray, yx: FloatArray) -> ComplexArray:
        """Return the samples of boxes whose content is moved by `yx`, shape (n, 2)."""
        shift = np.asarray(yx, dtype=np.float32)
        fy, fx = self._frequencies
        turns = shift[:, :1, None] * fy + shift[:, 1:, None] * fx
        return np.asarray(samples * np.exp(np.complex64(-2j * np.pi) * turns))

    def expand(self, samples: ComplexArray) -> ComplexArray:
        """Return coefficients over the angle, shape (n, rings, angular frequencies).

        Those of negative angular frequencies follow: ``(-1)^m`` times the conjugate.
        """
        waves = self._waves
        return np.asarray(samples @ waves + (samples.conj() @ waves) * self._signs)

    def sample_again(self, coefficients: ComplexArray) -> ComplexArray:
        """Return the samples that `expand` would turn into these coefficients."""
        half = coefficients.copy()
        half[..., 0] *= 0.5
        waves = self._waves.conj().T * (2 * self.n_angles)
        return np.asarray(half @ waves + (half.conj() * self._signs) @ waves.conj())

    def turn(self, coefficients: ComplexArray, angle: FloatArray) -> ComplexArray:
        """Return coefficients of boxes turned by `angle`, radians, shape (n,).

        Positive angles turn the x axis to the y axis: clockwise, where y points down.
        """
        turns = np.asarray(angle, dtype=np.float32)[:, None] * self._orders
        phases = np.exp(np.complex64(-1j) * turns)
        return np.asarray(coefficients * phases[:, None, :])

    def draw(self, coefficients: ComplexArray) -> Float32Array:
        """Return images of coefficients, shape (n, size, size), without a level."""
        samples = self.sample_again(coefficients) * self.rings[:, None]
        flat = samples.reshape(len(coefficients), -1)
        pixels = flat.real @ self._cosines.T + flat.imag @ self._sines.T
        scale = 2 * self.angle_step / self.size**2
        images = (pixels * np.float32(scale)).reshape(-1, self.size, self.size)
        return np.asarray(images, dtype=np.float32)

    def norms(self, coefficients: ComplexArray, weights: Float32Array) -> Float32Array:
        """Return the length of each spectrum, shape (n,), rings weighted."""
        power = (coefficients.real**2 + coefficients.imag**2) @ self.multiplicity
        return np.asarray(np.sqrt(power @ weights))

    def ring_power(self, coefficients: ComplexArray) -> Float32Array:
        """Return the power of each spectrum by ring, shape (n, rings)."""
        return np.asarray(
            (coefficients.real**2 + coefficients.imag**2) @ self.multiplicity
        )

    @cached_property
    def multiplicity(self) -> Float32Array:
        """Number of angular frequencies that each coefficient stands for: m and −m."""
        times = np.full(self.n_angles, 2, np.float32)
        times[0] = 1
        return times

    @cached_property
    def rotation_waves(self) -> Float32Array:
        """Real matrix, (2 · orders, 2 · angles), from products to all rotations.

        Rows are real and imaginary parts of ``Σ conj(average) · box`` per angular
        frequency, columns the angles by which the box is turned back.
        """
        angles = self.angle_step * np.arange(2 * self.n_angles)
        phases = np.exp(1j * self._orders[:, None] * angles)
        weighted = self.multiplicity[:, None] * phases
        parts = np.concatenate([weighted.real, -weighted.imag])
        return np.asarray(parts, dtype=np.float32)

    @cached_property
    def _orders(self) -> Float32Array:
        return np.arange(self.n_angles, dtype=np.float32)

    @cached_property
    def _signs(self) -> Float32Array:
        return np.asarray(1 - 2 * (np.arange(self.n_angles) % 2), dtype=np.float32)

    @cached_property
    def _waves(self) -> ComplexArray:
        angles = self.angle_step * np.arange(self.n_angles)
        waves = np.exp(-1j * angles[:, None] * self._orders) / (2 * self.n_angles)
        return np.asarray(waves, dtype=np.complex64)

    @cached_property
    def _frequencies(self) -> tuple[Float32Array, Float32Array]:
        """Frequencies of the samples along y and x, oscillations per pixel."""
        angles = self.angle_step * np.arange(self.n_angles)
        radius = self.rings[:, None] / self.size
        along = (radius * np.sin(angles), radius * np.cos(angles))
        return along[0].astype(np.float32), along[1].astype(np.float32)

    @cached_property
    def _phases(self) -> FloatArray:
        """Phase of each pixel in each sample, shape (size², rings · angles)."""
        axis = np.arange(self.size) - self.size // 2
        y, x = (each.ravel() for each in np.meshgrid(axis, axis, indexing="ij"))
        fy, fx = (each.ravel().astype(np.float64) for each in self._frequencies)
        return 2 * np.pi * (np.outer(y, fy) + np.outer(x, fx))

    @cached_property
    def _cosines(self) -> Float32Array:
        return np.cos(self._phases).astype(np.float32)

    @cached_property
    def _sines(self) -> Float32Array:
        return -np.sin(self._phases).astype(np.float32)


def ring_weights(transform: PolarTransform, samples: ComplexArray) -> Float32Array:
    """Return frequency over mean power of each ring: whitening, by area.

    Shape (rings,); `samples` are those of the boxes. A ring without power counts for
    nothing.
    """
    power = (samples.real**2 + samples.imag**2).mean(axis=(0, 2))
    has_power = power > np.finfo(np.float32).eps ** 2
    weights = has_power * transform.rings / np.where(has_power, power, 1)
    return np.asarray(weights, dtype=np.float32)

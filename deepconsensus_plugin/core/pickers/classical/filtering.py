# SPDX-License-Identifier: GPL-3.0-or-later
"""Fourier filters without wrap-around at the borders of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]
ComplexArray = NDArray[np.complex64]


@dataclass(frozen=True, eq=False)
class ReflectedSpectrum:
    """The spectrum of an image that is continued by its mirror images.

    Parameters
    ----------
    spectrum : array, complex64
        Of ``scipy.fft.rfft2``, of the continued image.
    padded : tuple of int
        Rows and columns of the continued image.
    margin : int
        Rows and columns that were put before the image.
    shape : tuple of int
        Rows and columns of the image.
    """

    spectrum: ComplexArray
    padded: tuple[int, int]
    margin: int
    shape: tuple[int, int]

    @classmethod
    def of(cls, image: Float32Array, *, margin: int) -> ReflectedSpectrum:
        """Transform an image; filters may reach `margin` pixels, >= 0."""
        rows, columns = (
            scipy.fft.next_fast_len(length + 2 * margin, real=True)
            for length in image.shape
        )
        shape = image.shape[0], image.shape[1]
        borders = [
            (margin, rows - margin - shape[0]),
            (margin, columns - margin - shape[1]),
        ]
        continued = np.pad(image, borders, mode="symmetric")
        return cls(scipy.fft.rfft2(continued), (rows, columns), margin, shape)

    def frequency(self) -> FloatArray:
        """Return the frequency of every value of the spectrum, 1/pixel."""
        rows, columns = self.padded
        along_y = scipy.fft.fftfreq(rows).astype(np.float32)
        along_x = scipy.fft.rfftfreq(columns).astype(np.float32)
        return np.asarray(np.hypot(along_y[:, None], along_x[None, :]))

    def filtered(self, transfer: FloatArray | ComplexArray) -> Float32Array:
        """Return the image convolved with the filter of this transfer."""
        filtered = scipy.fft.irfft2(self.spectrum * transfer, s=self.padded)
        rows, columns = (slice(self.margin, self.margin + n) for n in self.shape)
        return np.asarray(filtered[rows, columns], dtype=np.float32)


def transform_kernel(kernel: FloatArray, padded: tuple[int, int]) -> ComplexArray:
    """Return the transfer of a kernel, odd sides, centred on its middle pixel.

    `padded` is that of the `ReflectedSpectrum` to filter.
    """
    canvas = np.zeros(padded, np.float32)
    rows, columns = kernel.shape
    canvas[:rows, :columns] = kernel
    centred = np.roll(canvas, (-(rows // 2), -(columns // 2)), axis=(0, 1))
    return np.asarray(scipy.fft.rfft2(centred))


def gaussian(frequency: FloatArray, sigma_px: float) -> FloatArray:
    """Return the transfer of a Gaussian of unit sum, σ in pixels."""
    return np.asarray(np.exp(-2 * (np.pi * sigma_px * frequency) ** 2))

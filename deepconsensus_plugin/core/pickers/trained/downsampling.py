# SPDX-License-Identifier: GPL-3.0-or-later
"""Fourier cropping of micrographs to the pixel size that a picker works at.

The micrograph is continued by its mirror images, which avoids wrap-around at the
borders: rows and then columns are transformed by a cosine transform (DCT-II), and the
lowest frequencies are kept. The new samples lie at the centres of equal parts of the
micrograph. With positions measured from the centre of the first pixel, and a factor f
along an axis,

    in the micrograph = (in the downsampled image + ½) f − ½.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]

_ROWS_AT_ONCE = 128
"""Rows of the micrograph that are held in memory at once, besides the result."""


@dataclass(frozen=True)
class _Axis:
    """One axis of the two grids: `padded` pixels become `kept`, the first ones used."""

    length: int
    padded: int
    kept: int

    @classmethod
    def of(cls, length: int, factor: float) -> _Axis:
        padded = scipy.fft.next_fast_len(length, real=True) if factor != 1 else length
        return cls(length, padded, max(1, round(padded / factor)))

    @property
    def factor(self) -> float:
        return self.padded / self.kept

    @property
    def new_length(self) -> int:
        """Number of samples whose centre lies inside the micrograph."""
        return max(1, round(self.length / self.factor))


@dataclass(frozen=True)
class Downsampling:
    """Grids of a micrograph and of its downsampled image, and the map between them.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the micrograph.
    factor : float
        Requested ratio of the pixel sizes, >= 1. The actual ratio of each axis,
        `factors`, follows from whole numbers of pixels.

    Raises
    ------
    ValueError
        If `factor` is below 1, or larger than the micrograph.
    """

    shape: tuple[int, int]
    factor: float

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= min(self.shape):
            raise ValueError(
                f"factor: expected 1 to the shorter side of the micrograph "
                f"({min(self.shape)} px), received {self.factor:g}"
            )

    @property
    def axes(self) -> tuple[_Axis, _Axis]:
        """Rows and columns."""
        rows, columns = self.shape
        return _Axis.of(rows, self.factor), _Axis.of(columns, self.factor)

    @property
    def factors(self) -> tuple[float, float]:
        """Actual ratio of the pixel sizes along y and x."""
        y, x = self.axes
        return y.factor, x.factor

    @property
    def new_shape(self) -> tuple[int, int]:
        """Rows and columns of the downsampled image."""
        y, x = self.axes
        return y.new_length, x.new_length

    def to_micrograph(self, yx: FloatArray) -> FloatArray:
        """Return positions ``yx`` of the downsampled image, in the micrograph."""
        return np.asarray((yx + 0.5) * self.factors - 0.5)

    def from_micrograph(self, yx: FloatArray) -> FloatArray:
        """Return positions ``yx`` of the micrograph, in the downsampled image."""
        return np.asarray((yx + 0.5) / self.factors - 0.5)


def downsample(
    pixels: NDArray[Any], factor: float, *, workers: int = 1
) -> Float32Array:
    """Return a micrograph with larger pixels.

    Parameters
    ----------
    pixels : array, shape (rows, columns)
        Any real type; may be memory-mapped. Values that are not finite are replaced by
        the mean of the others.
    factor : float
        Ratio of the pixel sizes, >= 1; `Downsampling` gives the positions.
    workers : int
        Threads.

    Returns
    -------
    array, shape ``Downsampling(pixels.shape, factor).new_shape``, float32
        The mean is kept.

    Raises
    ------
    ValueError
        If `pixels` is no image or has no finite pixel, or `factor` does not fit.
    """
    if pixels.ndim != 2:
        raise ValueError(
            f"expected an image of rows and columns, received {pixels.shape}"
        )
    y, x = Downsampling((pixels.shape[0], pixels.shape[1]), factor).axes
    fill = _fill_value(pixels)
    lines = np.empty((y.length, x.new_length), np.float32)
    for first in range(0, y.length, _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        lines[rows] = _resample(_finite_rows(pixels, rows, fill), x, 1, workers)
    return _resample(lines, y, 0, workers)


def _resample(
    image: Float32Array, along: _Axis, axis: int, workers: int
) -> Float32Array:
    """Return the image with fewer samples along one axis."""
    if along.factor == 1:
        return image
    lacking = [(0, 0), (0, 0)]
    lacking[axis] = (0, along.padded - along.length)
    continued = (
        np.pad(image, lacking, mode="symmetric") if any(lacking[axis]) else image
    )
    spectrum = scipy.fft.dct(continued, axis=axis, norm="ortho", workers=workers)
    lowest = np.take(spectrum, np.arange(along.kept), axis=axis)
    lowest *= np.float32((along.kept / along.padded) ** 0.5)
    samples = scipy.fft.idct(lowest, axis=axis, norm="ortho", workers=workers)
    first = np.take(samples, np.arange(along.new_length), axis=axis)
    return np.asarray(first, dtype=np.float32)


def _finite_rows(pixels: NDArray[Any], rows: slice, fill: float) -> Float32Array:
    values = np.asarray(pixels[rows], dtype=np.float32)
    is_finite = np.isfinite(values)
    return values if is_finite.all() else np.where(is_finite, values, np.float32(fill))


def _fill_value(pixels: NDArray[Any]) -> float:
    """Return the mean of the finite pixels if there are others, else 0."""
    if pixels.dtype.kind in "iub":
        return 0.0
    total, n_finite = 0.0, 0
    for first in range(0, len(pixels), _ROWS_AT_ONCE):
        values = np.asarray(pixels[first : first + _ROWS_AT_ONCE])
        is_finite = np.isfinite(values)
        total += values.sum(dtype=np.float64, where=is_finite)
        n_finite += int(is_finite.sum())
    if not n_finite:
        raise ValueError("expected an image, received one without any finite pixel")
    return total / n_finite

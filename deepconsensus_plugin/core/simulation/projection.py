# SPDX-License-Identifier: GPL-3.0-or-later
"""Projections of a molecule by central slices of its Fourier transform.

As RELION does: the volume is padded to twice its side, sliced with linear
interpolation, and divided by what that does to it on average (gridding correction).
Projections are good to a few per cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.ndimage

from deepconsensus_plugin.core.simulation.potential import PotentialMap
from deepconsensus_plugin.core.types import FloatArray, IntArray

_PADDING = 2


@dataclass(frozen=True, eq=False)
class FourierVolume:
    """The transform of a molecule, ready to be sliced.

    Parameters
    ----------
    real, imaginary : array, shape (n, n, n // 2 + 1), float32
        V·Å³; z and y with the origin at n // 2, x from 0.
    step : float
        Between samples, 1/Å.
    extent_A : float
        Side of the cube that the molecule lies in, Å.
    """

    real: FloatArray
    imaginary: FloatArray
    step: float
    extent_A: float


def transform(density: PotentialMap) -> FourierVolume:
    """Return the transform of a map, padded."""
    side = len(density.values)
    padded = _PADDING * side
    offset = (np.arange(side) - side // 2) / padded
    correction = np.sinc(offset) ** 2
    values = (
        density.values
        / correction[:, None, None]
        / correction[None, :, None]
        / correction[None, None, :]
    )
    around = np.zeros((padded,) * 3, np.float32)
    inner = slice(padded // 2 - side // 2, padded // 2 + side - side // 2)
    around[inner, inner, inner] = values * density.voxel_size_A**3
    spectrum = scipy.fft.rfftn(scipy.fft.ifftshift(around))
    spectrum = scipy.fft.fftshift(spectrum, axes=(0, 1))
    extent = side * density.voxel_size_A
    return FourierVolume(
        np.ascontiguousarray(spectrum.real),
        np.ascontiguousarray(spectrum.imag),
        1.0 / (padded * density.voxel_size_A),
        extent,
    )


def project(
    volume: FourierVolume,
    view: FloatArray,
    *,
    sampling_rate: float,
    shift_yx: tuple[float, float] = (0.0, 0.0),
) -> FloatArray:
    """Return the potential along the beam of a molecule that was turned.

    Parameters
    ----------
    volume : FourierVolume
        Volume of the molecule.
    view : array, shape (3, 3)
        Turns the molecule, acting on (x, y, z); see `orientations.view_matrix`.
    sampling_rate : float
        Sampling rate of the image, Å/px.
    shift_yx : tuple of float
        Where the molecule's centre is, pixels from the image's centre ``box // 2``.

    Returns
    -------
    array, shape (box, box), float32
        V·Å; the box, even, just holds the volume's cube.
    """
    box = 2 * scipy.fft.next_fast_len(
        int(np.ceil(volume.extent_A / sampling_rate / 2)), real=True
    )
    limit = (len(volume.real) // 2 - 1) * volume.step
    rows, columns, sy, sx = _slice_grid(box, sampling_rate, limit)
    # A turned molecule has a turned transform: V_A(s) = V(Aᵀ s).
    in_plane = (view[:2].T / volume.step).astype(np.float32)
    where = in_plane @ np.stack([sx, sy])
    flipped = where[0] < 0
    where = np.where(flipped, -where, where)  # of a real volume, half is enough
    middle = len(volume.real) // 2
    at = np.stack([where[2] + middle, where[1] + middle, where[0]])
    real = scipy.ndimage.map_coordinates(volume.real, at, order=1)
    imaginary = scipy.ndimage.map_coordinates(volume.imaginary, at, order=1)
    values = real + 1j * np.where(flipped, -imaginary, imaginary)
    y = (shift_yx[0] + box // 2) * sampling_rate
    x = (shift_yx[1] + box // 2) * sampling_rate
    values = values * np.exp(-2j * np.pi * (y * sy + x * sx))
    spectrum = np.zeros((box, box // 2 + 1), np.complex64)
    spectrum[rows, columns] = values / sampling_rate**2
    return np.asarray(scipy.fft.irfft2(spectrum, s=(box, box)), dtype=np.float32)


@lru_cache(maxsize=16)
def _slice_grid(
    box: int, sampling_rate: float, limit: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return indices and frequencies (1/Å) of a box's spectrum within a circle."""
    fy = np.fft.fftfreq(box, sampling_rate)[:, None]
    fx = np.fft.rfftfreq(box, sampling_rate)[None, :]
    rows, columns = np.nonzero(np.hypot(fy, fx) < min(limit, 0.5 / sampling_rate))
    sy, sx = fy[rows, 0].astype(np.float32), fx[0, columns].astype(np.float32)
    return rows, columns, sy, sx

# SPDX-License-Identifier: GPL-3.0-or-later
"""Preprocessing of boxes: from raw pixels to network input.

As in the paper's implementation: the box resampled to the network's input by Fourier
cropping or padding, particles white, the background ring (outside the inscribed
circle) at mean 0 and deviation 1, the phases of the CTF flipped on request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from deepconsensus_plugin.core.blas import one_blas_thread
from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.optics import ctf_values
from deepconsensus_plugin.core.published import Published
from deepconsensus_plugin.core.types import BoolArray, Ctf

Float32Array = NDArray[np.float32]

_INPUT_STEP = 16
_SMALLEST_INPUT, _LARGEST_INPUT = 64, 128
_FINEST_A = 5.0
"""Å/px below which pixels add nothing to the detection of particles: Topaz looks
at 5 to 16 (Bepler et al. 2019, Table 1)."""


_BYTES_IN_CACHE = 2**22
"""Boxes that are resampled at once, bytes."""


@dataclass(frozen=True)
class BoxPreprocessing(Declared):
    """Preprocessing from boxes to network input; saved with the model.

    Parameters
    ----------
    input_size : int
        Side of the network's input, pixels (paper: 128).
    invert : bool
        Whether particles are darker than the background in the micrographs, so
        that the contrast must be inverted to make them white.
    phase_flip : bool
        Whether to flip the phases of the CTF.
    """

    input_size: int = field(
        default=128,
        metadata=declare(
            "Network input size",
            "Side that boxes are resampled to before the network sees them, a "
            f"multiple of {_INPUT_STEP}; {{input_size}} as published. The time grows "
            "with its square.",
            unit="px",
            auto=f"{_SMALLEST_INPUT} to {_LARGEST_INPUT}, so that pixels are "
            f"{_FINEST_A:g} Å or more; a model to start from keeps its own",
            is_expert=True,
            ge=_INPUT_STEP,
            multiple_of=_INPUT_STEP,
        ),
    )
    invert: bool = True
    phase_flip: bool = False

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "input_size": Published(128, "Table 1: input of 128 × 128"),
    }


def fitting_input_size(box_size: int, sampling_rate: float) -> int:
    """Return the network's input that shows a box as finely as is of use.

    The paper resamples every box to 128 pixels, whose time is four times that of 64.
    Pixels smaller than those of the micrograph, or than 5 Å, show nothing more.

    Parameters
    ----------
    box_size : int
        Pixels, >= 1.
    sampling_rate : float
        Å/px, > 0.

    Returns
    -------
    int
        A multiple of 16 from 64 to 128, the paper's.
    """
    pixels = min(box_size, box_size * sampling_rate / _FINEST_A)
    holding = math.ceil(pixels / _INPUT_STEP) * _INPUT_STEP
    return min(max(holding, _SMALLEST_INPUT), _LARGEST_INPUT)


def prepare_boxes(boxes: Float32Array, preprocessing: BoxPreprocessing) -> Float32Array:
    """Return network input made of raw boxes (of already flipped phases).

    Parameters
    ----------
    boxes : array, shape (n, box, box), float32
        As cut from the micrograph.
    preprocessing : BoxPreprocessing
        Preprocessing to apply.

    Returns
    -------
    array, shape (n, input_size, input_size), float32
    """
    resized = fourier_resize(boxes, preprocessing.input_size)
    return normalise_background(resized, invert=preprocessing.invert)


def fourier_resize(boxes: Float32Array, size: int) -> Float32Array:
    """Return boxes resampled to ``size × size`` by Fourier cropping or padding.

    The result does not depend on the number of threads, neither of those that call nor
    of those of linear algebra.
    """
    old_size = boxes.shape[-1]
    if old_size == size:
        return boxes
    is_fast = all(fft.next_fast_len(side) == side for side in (old_size, size))
    return _by_transforms(boxes, size) if is_fast else _by_products(boxes, size)


def _by_transforms(boxes: Float32Array, size: int) -> Float32Array:
    """Resample by the FFT, some boxes at a time, so that they stay in the cache.

    At sizes of small prime factors it takes as long as the fastest products of
    matrices, and as long on every processor: linear algebra falls back to slow code on
    those that its library does not know.
    """
    resized = np.empty((len(boxes), size, size), np.float32)
    n_at_once = max(1, _BYTES_IN_CACHE // (4 * boxes.shape[-1] ** 2))
    for first in range(0, len(boxes), n_at_once):
        some = slice(first, first + n_at_once)
        rows = _resampled_along(boxes[some].astype(np.float32, copy=False), size, 2)
        resized[some] = _resampled_along(rows, size, 1)
    return resized


def _resampled_along(
    boxes: NDArray[np.floating[Any]], size: int, axis: int
) -> Float32Array:
    """Return boxes with `size` pixels along an axis, as `scipy.signal.resample` does.

    Of an even number of pixels, the highest frequency stands for two, of either sign,
    which are one after cropping, and two again after padding.
    """
    old_size = boxes.shape[axis]
    kept = min(old_size, size)
    spectrum = np.moveaxis(fft.rfft(boxes, axis=axis), axis, 0)[: kept // 2 + 1]
    spectrum *= size / old_size
    if kept % 2 == 0:
        spectrum[-1] *= 2 if size < old_size else 0.5
    resized = fft.irfft(np.moveaxis(spectrum, 0, axis), n=size, axis=axis)
    return np.asarray(resized, dtype=np.float32)


def _by_products(boxes: Float32Array, size: int) -> Float32Array:
    """Resample by two products with one small matrix, for sizes that have no fast FFT.

    Cropping a spectrum is linear and acts on rows and columns separately.
    """
    matrix = _resampling_matrix(boxes.shape[-1], size)
    with one_blas_thread():
        return np.asarray(matrix @ boxes @ matrix.T, dtype=np.float32)


@lru_cache(maxsize=16)
def _resampling_matrix(old_size: int, new_size: int) -> Float32Array:
    """Return Fourier resampling of a signal as a matrix, shape (new_size, old_size)."""
    matrix: Float32Array = _resampled_along(np.eye(old_size)[None], new_size, 1)[0]
    return matrix


def normalise_background(boxes: Float32Array, *, invert: bool) -> Float32Array:
    """Return boxes whose background ring has mean 0 and standard deviation 1.

    Parameters
    ----------
    boxes : array, shape (n, size, size), float32
        Raw boxes, finite.
    invert : bool
        Whether to change the sign of the contrast.

    Returns
    -------
    array, shape (n, size, size), float32
        A ring without any variation is scaled by the deviation of its whole box,
        and a box without any is all zero.
    """
    ring = background_ring(boxes.shape[-1])
    centred = boxes - boxes[:, ring].mean(axis=1)[:, None, None]
    deviation = centred[:, ring].std(axis=1)
    flat = deviation < 1e-6 * np.abs(centred).max(axis=(1, 2), initial=1e-30)
    deviation = np.where(flat, centred.std(axis=(1, 2)), deviation)
    scale = np.where(deviation > 0, 1.0 / np.maximum(deviation, 1e-30), 0.0)
    signed = -scale if invert else scale
    return np.asarray(centred * signed[:, None, None], dtype=np.float32)


@lru_cache(maxsize=16)
def background_ring(size: int) -> BoolArray:
    """Return the mask of the pixels outside the circle inscribed in a box."""
    axis = np.arange(size) - (size - 1) / 2
    mask: BoolArray = np.hypot(axis[:, None], axis[None, :]) > size / 2
    mask.flags.writeable = False
    return mask


def flip_phases(boxes: Float32Array, ctf: Ctf, sampling_rate: float) -> Float32Array:
    """Return boxes with the sign of the CTF undone at every frequency.

    Contrast is kept: the lowest frequencies are left as they are.

    Parameters
    ----------
    boxes : array, shape (n, size, size), float32
        Raw boxes; cut them larger than needed, since a flip moves density by up to
        wavelength × defocus / resolution.
    ctf : Ctf
        CTF of their micrograph.
    sampling_rate : float
        Å/px.
    """
    size = boxes.shape[-1]
    low_frequency_sign = np.sign(-ctf.amplitude_contrast or -1.0)
    sign = np.sign(ctf_values(ctf, size, sampling_rate)) * low_frequency_sign
    sign[sign == 0] = 1.0
    spectra = fft.rfft2(boxes) * sign.astype(np.float32)
    return np.asarray(fft.irfft2(spectra, s=(size, size)), dtype=np.float32)

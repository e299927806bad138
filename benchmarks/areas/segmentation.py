# SPDX-License-Identifier: GPL-3.0-or-later
"""Contamination found by the network, on a micrograph of any pixel size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from benchmarks.areas.network import (
    CLASSES,
    ContaminationNetwork,
)
from benchmarks.areas.network_input import network_input
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area.binning import bin_pixels
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

Float32Array = NDArray[np.float32]
_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Contamination of an image.

    Parameters
    ----------
    kinds : array, shape (rows, columns), uint8
        Codes of `AreaKind`: usable, carbon, ice or contamination.
    probability : array, shape (rows, columns), float32
        Of contamination of any kind, 0 - 1.
    """

    kinds: NDArray[np.uint8]
    probability: Float32Array


def segment_contamination(
    image: NDArray[np.float32],
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    particles_dark: bool = True,
    network: ContaminationNetwork,
) -> Segmentation:
    """Return where an image shows carbon, ice crystals and other contamination.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        A micrograph or a binned one, without padding, finite; of any level and scale.
    has_signal : array, shape (rows, columns), bool
        Pixels that were recorded; nothing is found on the others.
    pixel_size_A : float
        Å/px of `image`. It is binned for the network if it is finer than the network
        needs, and enlarged if it is coarser, where less is found.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    network : ContaminationNetwork
        A trained network.

    Returns
    -------
    Segmentation
        Of the shape of `image`.
    """
    low, high = network.pixel_sizes_A
    enlarging = max(1, int(np.ceil(pixel_size_A / high)))
    # The middle of the range, as a ratio.
    binning = max(1, round((low * high) ** 0.5 / pixel_size_A))
    seen, is_known = _binned(image, has_signal, binning)
    if enlarging > 1:
        seen = zoom(seen, enlarging, order=1, mode="nearest", grid_mode=True)
        is_known = _repeated(is_known, enlarging)
    channels = network_input(
        seen,
        is_known,
        pixel_size_A=pixel_size_A * binning / enlarging,
        particles_dark=particles_dark,
    )
    classes = network.probabilities(channels)[enlarging // 2 :: enlarging]
    classes = classes[:, enlarging // 2 :: enlarging]
    is_known = is_known[enlarging // 2 :: enlarging, enlarging // 2 :: enlarging]
    probability = np.where(is_known, 1 - classes[..., 0], np.float32(0))
    likely = np.array(CLASSES[1:], np.uint8)[classes[..., 1:].argmax(axis=-1)]
    is_junk = is_known & (probability >= network.threshold)
    kinds = np.where(is_junk, likely, np.uint8(AreaKind.USABLE))
    return Segmentation(
        _unbinned(kinds, binning, image.shape),
        _unbinned(probability, binning, image.shape),
    )


def _binned(
    image: Float32Array, has_signal: BoolArray, binning: int
) -> tuple[Float32Array, BoolArray]:
    """Return means of blocks, and which blocks hold signal alone."""
    if binning == 1:
        return image, has_signal
    return bin_pixels(image, binning), bin_pixels(has_signal, binning) == 1


def _unbinned(
    values: NDArray[_Value], binning: int, shape: tuple[int, ...]
) -> NDArray[_Value]:
    """Return values of blocks at each pixel; pixels beyond the last block follow it."""
    repeated = _repeated(values, binning)
    lacking = [
        (0, length - known) for length, known in zip(shape, repeated.shape, strict=True)
    ]
    return np.pad(repeated, lacking, mode="edge")


def _repeated(values: NDArray[_Value], times: int) -> NDArray[_Value]:
    return np.repeat(np.repeat(values, times, axis=0), times, axis=1)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Carbon, ice crystals and other contaminants, found by the network."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area.binning import bin_pixels
from deepconsensus_plugin.core.usable_area.contaminant_features import STEP, first_look
from deepconsensus_plugin.core.usable_area.contaminant_network import (
    CLASSES,
    ContaminantNetwork,
)
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

Float32Array = NDArray[np.float32]
_Value = TypeVar("_Value", bound=np.generic)

_PIXEL_SIZE_A = 9.0
_LARGEST_PIXEL_A = 14.0
_LEAST_SIDE_A = 1000.0
_DIAMETERS_A = (60.0, 500.0)
"""Pixels, micrographs and particles as the network was trained on."""


def can_tell_contaminants(
    shape: tuple[int, ...], *, pixel_size_A: float, diameter_A: float
) -> bool:
    """Return whether the network was trained on images like one of this shape."""
    return (
        pixel_size_A <= _LARGEST_PIXEL_A
        and diameter_A <= _DIAMETERS_A[1]
        and min(shape) * pixel_size_A >= _LEAST_SIDE_A
    )


def find_contaminants(
    image: Float32Array,
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    diameter_A: float,
    network: ContaminantNetwork,
) -> NDArray[np.uint8]:
    """Return the kind of each pixel: usable, carbon, ice or contamination.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Particles dark; of any level and scale, without padding, finite.
    has_signal : array, shape (rows, columns), bool
        Pixels that were recorded; nothing is found on the others.
    pixel_size_A : float
        Å/px of `image`, which is binned further if it is much finer than 9 Å.
    diameter_A : float
        Diameter of the particle, Å.
    network : ContaminantNetwork
        A trained network.

    Returns
    -------
    array, shape (rows, columns), uint8
        Codes of `AreaKind`.
    """
    if not has_signal.any():
        return np.full(image.shape, AreaKind.USABLE, np.uint8)
    found, step = contaminant_probabilities(
        image,
        has_signal,
        pixel_size_A=pixel_size_A,
        diameter_A=diameter_A,
        network=network,
    )
    likely = np.array(CLASSES[1:], np.uint8)[found[..., 1:].argmax(axis=-1)]
    is_junk = 1 - found[..., 0] >= network.threshold
    kinds = np.where(is_junk, likely, np.uint8(AreaKind.USABLE))
    enlarged = enlarge(kinds, step, image.shape)
    enlarged[~has_signal] = AreaKind.USABLE
    return enlarged


def contaminant_probabilities(
    image: Float32Array,
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    diameter_A: float,
    network: ContaminantNetwork,
) -> tuple[Float32Array, int]:
    """Return the probability of each of `CLASSES`, and the pixels of a side of each.

    Parameters are those of `find_contaminants`. Probabilities are of shape
    (rows // side, columns // side, 4).
    """
    binning = max(1, round(_PIXEL_SIZE_A / pixel_size_A))
    seen, is_known = image, has_signal
    if binning > 1:
        seen, is_known = (
            bin_pixels(image, binning),
            bin_pixels(has_signal, binning) == 1,
        )
    first = first_look(
        seen,
        is_known,
        pixel_size_A=pixel_size_A * binning,
        diameter_A=float(np.clip(diameter_A, *_DIAMETERS_A)),
    )
    found = network.probabilities(
        first,
        bin_pixels(is_known, STEP) > 0.5,
        pixel_size_A=pixel_size_A * binning * STEP,
    )
    return found, binning * STEP


def enlarge(
    values: NDArray[_Value], times: int, shape: tuple[int, ...]
) -> NDArray[_Value]:
    """Return values of blocks at each pixel; pixels beyond the last block follow it."""
    repeated = np.repeat(np.repeat(values, times, axis=0), times, axis=1)
    lacking = [
        (0, length - known) for length, known in zip(shape, repeated.shape, strict=True)
    ]
    return np.pad(repeated, lacking, mode="edge")

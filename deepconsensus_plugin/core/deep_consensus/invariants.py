# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotation-invariant features of boxes, computed without a network.

On every ring around the centre the Fourier series of the angle is taken: the modulus of
a coefficient does not change when the box is turned.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.extraction import check_boxes
from deepconsensus_plugin.core.types import FloatArray, IntArray

_N_RINGS = 16
"""Number of rings in the inscribed circle; the corners are one more."""
_N_ORDERS = 4
"""Number of angular frequencies above 0; higher ones show noise."""
_AT_ONCE = 1024

N_INVARIANTS = _N_RINGS * _N_ORDERS + 2 * (_N_RINGS + 1)
"""Columns of `rotation_invariants`."""


def rotation_invariants(boxes: NDArray[np.floating[Any]]) -> FloatArray:
    """Return features of boxes that rotation and mirroring do not change.

    Parameters
    ----------
    boxes : array, shape (n, size, size), size >= 16
        Prepared boxes (`core.preprocessing`), any float type.

    Returns
    -------
    array, shape (n, N_INVARIANTS), float32
        For every ring: mean, moduli of the angular frequencies 1 to 4, and deviation.

    Raises
    ------
    ValueError
        If the boxes are not square, or smaller than 16 pixels.
    """
    check_boxes(boxes, smallest=16)
    parts = [
        _of_some(boxes[first : first + _AT_ONCE])
        for first in range(0, len(boxes), _AT_ONCE)
    ]
    return np.concatenate([np.empty((0, N_INVARIANTS), np.float32), *parts])


def _of_some(boxes: NDArray[np.floating[Any]]) -> FloatArray:
    pixels = boxes.reshape(len(boxes), -1).astype(np.float32)
    ring_means, harmonics = _bases(boxes.shape[-1])
    mean = pixels @ ring_means
    deviation = np.sqrt(np.maximum(pixels**2 @ ring_means - mean**2, 0))
    cosine, sine = np.split(pixels @ harmonics, 2, axis=1)
    return np.concatenate([mean, np.hypot(cosine, sine), deviation], axis=1)


@lru_cache(maxsize=4)
def _bases(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weights of the means over rings, and of the Fourier coefficients.

    Shapes (pixels, rings) and (pixels, 2 × rings × orders), cosines first; the corners
    have a mean only.
    """
    axis = np.arange(size) - (size - 1) / 2
    radius = np.hypot(axis[:, None], axis[None, :]).ravel()
    angle = np.arctan2(axis[:, None], axis[None, :]).ravel()
    ring: IntArray = np.minimum(radius / (size / 2) * _N_RINGS, _N_RINGS).astype(int)
    members = ring[:, None] == np.arange(_N_RINGS + 1)
    means = (members / np.maximum(members.sum(axis=0), 1)).astype(np.float32)
    phases = angle[:, None] * np.arange(1, _N_ORDERS + 1)
    inner = means[:, :_N_RINGS, None] * (radius > 0)[:, None, None]
    waves = [inner * wave(phases)[:, None, :] for wave in (np.cos, np.sin)]
    harmonics = np.concatenate([w.reshape(size**2, -1) for w in waves], axis=1)
    return means, harmonics.astype(np.float32)

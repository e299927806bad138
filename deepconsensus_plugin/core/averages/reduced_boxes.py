# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes of candidates as averages need them: small, of one scale, particles white."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deepconsensus_plugin.core.averages.parameters import SIZE
from deepconsensus_plugin.core.averages.polar import Float32Array
from deepconsensus_plugin.core.boxes import cut_boxes
from deepconsensus_plugin.core.preprocessing import fourier_resize
from deepconsensus_plugin.core.types import FloatArray, Micrograph


def reduced_boxes(
    micrograph: Micrograph, yx: FloatArray, box_size: int, *, are_particles_dark: bool
) -> Iterator[Float32Array]:
    """Yield the boxes of a micrograph, some at a time; phases flipped with its CTF.

    Parameters
    ----------
    micrograph : Micrograph
        Read from its path. Phases are not flipped where its CTF is not known.
    yx : array, shape (n, 2)
        Centres, pixels.
    box_size : int
        Side of the boxes, pixels.
    are_particles_dark : bool
        Whether particles are darker than the background.

    Yields
    ------
    array, shape (some, SIZE, SIZE), float32
        Mean 0 and deviation 1; the centre is the pixel ``SIZE // 2``. A box without
        variation is 0.
    """
    even = box_size + box_size % 2  # the middle of an odd one falls between pixels
    flip = micrograph.ctf is not None
    for boxes in cut_boxes(micrograph, yx, even, phase_flip=flip):
        small = fourier_resize(boxes, SIZE)
        yield normalised(-small if are_particles_dark else small)


def normalised(boxes: Float32Array) -> Float32Array:
    """Return boxes of mean 0 and deviation 1."""
    level = boxes.mean(axis=(1, 2), keepdims=True)
    deviation = boxes.std(axis=(1, 2), keepdims=True)
    is_flat = deviation <= 1e-6 * np.abs(boxes).max(axis=(1, 2), keepdims=True)
    scale = np.where(is_flat, 0, 1 / np.where(is_flat, 1, deviation))
    return np.asarray((boxes - level) * scale, dtype=np.float32)

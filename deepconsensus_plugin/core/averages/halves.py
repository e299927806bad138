# SPDX-License-Identifier: GPL-3.0-or-later
"""Averages of two halves that know nothing of each other (gold standard).

What noise alone suggests to one half is not found in the other (Scheres and Chen,
*Nature Methods* 9, 853, 2012): each box is judged by averages that it is no part of,
and averages have a resolution (`resolution`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.averages.averaging import (
    AverageSet,
    find_averages,
    find_poses,
)
from deepconsensus_plugin.core.averages.extent import mask_radius
from deepconsensus_plugin.core.averages.parameters import AveragesParameters
from deepconsensus_plugin.core.averages.polar import (
    Float32Array,
    PolarTransform,
)
from deepconsensus_plugin.core.types import BoolArray, IntArray

_MASK_EDGE = 3.0


@dataclass(frozen=True, eq=False)
class Halves:
    """Averages of two halves of the boxes.

    Parameters
    ----------
    transform : PolarTransform
        Transform of both.
    sets : tuple of AverageSet
        One a half.
    """

    transform: PolarTransform
    sets: tuple[AverageSet, AverageSet]

    def compare(
        self, boxes: Float32Array, is_second: BoolArray
    ) -> tuple[Float32Array, Float32Array]:
        """Return how boxes compare with the averages of the half they are not in.

        Parameters
        ----------
        boxes : array, shape (n, size, size)
            As `reduced_boxes` yields them.
        is_second : array, shape (n,), bool
            Whether each belongs to the second half.

        Returns
        -------
        amplitude : array, shape (n,), float32
            How much of the average there is in the box: scalar product with the average
            of length 1.
        correlation : array, shape (n,), float32
            The same relative to the length of the box.
        """
        amplitude = np.zeros(len(boxes), dtype=np.float32)
        correlation = np.zeros(len(boxes), dtype=np.float32)
        for other, rows in zip(self.sets, (is_second, ~is_second), strict=True):
            poses, correlation[rows] = find_poses(
                boxes[rows], self.transform, other.coefficients, other.weights
            )
            amplitude[rows] = poses.product
        return amplitude, correlation


def average_halves(
    boxes: Float32Array,
    is_second: BoolArray,
    parameters: AveragesParameters,
    *,
    pixel_size_A: float,
    finest_A: float = 0.0,
) -> Halves:
    """Return averages of both halves; their order does not depend on that of the boxes.

    Parameters
    ----------
    boxes : array, shape (n, size, size)
        As `reduced_boxes` yields them.
    is_second : array, shape (n,), bool
        Which half each belongs to; both need a box for every average.
    parameters : AveragesParameters
        Number of averages, resolution and seed.
    pixel_size_A : float
        Of the boxes, Å.
    finest_A : float
        Finest detail that their micrographs hold, Å; finer rings are not used.
    """
    order = content_order(boxes)
    size = boxes.shape[-1]
    transform = PolarTransform(
        size,
        parameters.rings_for(size * pixel_size_A, finest_A),
        mask_radius(boxes[order]) - _MASK_EDGE / 3,
        _MASK_EDGE,
    )
    n_averages = parameters.averages_for(len(boxes))
    first, second = (
        _averages_of(boxes, order[half[order]], transform, n_averages, parameters.seed)
        for half in (~is_second, is_second)
    )
    return Halves(transform, (first, second))


def content_order(boxes: Float32Array) -> IntArray:
    """Return an order of boxes that depends on their content alone, shape (n,)."""
    keys = [zlib.crc32(np.ascontiguousarray(box).data) for box in boxes]
    return np.argsort(np.array(keys, dtype=np.int64), kind="stable")


def _averages_of(
    boxes: Float32Array,
    rows: IntArray,
    transform: PolarTransform,
    n_averages: int,
    seed: int,
) -> AverageSet:
    rng = np.random.default_rng(seed)
    return find_averages(boxes[rows], transform, min(n_averages, len(rows)), rng)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolution of averages: what two independent halves agree on.

An average of one half is compared with the most similar one of the other half, in its
best pose, by Fourier ring correlation.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.averages.averaging import (
    AverageSet,
    average_in_poses,
    pose_samples,
)
from deepconsensus_plugin.core.averages.halves import Halves, content_order
from deepconsensus_plugin.core.averages.parameters import rings_within
from deepconsensus_plugin.core.averages.polar import (
    ComplexArray,
    Float32Array,
    PolarTransform,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray

_RESOLVED = 0.5
"""Ring correlation down to which an average counts as resolved. The 0.143 of maps
(Rosenthal and Henderson, *J. Mol. Biol.* 333, 721, 2003) is too low where the best of
several averages in its best pose is taken: those of noise then reach 0.3."""
_FEWEST_RINGS = 5
"""Rings below which an average shows no more than a blob, which noise has too: detail
as coarse as a fifth of the box, a third of the diameter."""


def resolutions(
    halves: Halves,
    boxes: Float32Array,
    is_second: BoolArray,
    *,
    pixel_size_A: float,
    finest_A: float = 0.0,
) -> FloatArray:
    """Return the resolution of each average of the first half, Å, shape (k,).

    Infinity where no average of the second half agrees with it in more than a blob.

    Parameters
    ----------
    halves : Halves
        Averages of these boxes.
    boxes : array, shape (n, size, size)
        The boxes.
    is_second : array, shape (n,), bool
        Which half each belongs to.
    pixel_size_A : float
        Of the boxes, Å.
    finest_A : float
        Finest detail that their micrographs hold, Å: no average is resolved to more.
    """
    size = halves.transform.size
    fine = PolarTransform(
        size,
        min(size // 2 - 2, rings_within(size * pixel_size_A, finest_A)),
        halves.transform.mask_radius,
        halves.transform.mask_edge,
    )
    order = content_order(boxes)
    first, second = (
        _mean_of(fine, boxes[order[half[order]]], each)
        for half, each in zip((~is_second, is_second), halves.sets, strict=True)
    )
    is_resolved = _ring_correlations(fine, first, second) >= _RESOLVED
    n_rings = np.cumprod(is_resolved, axis=1).sum(axis=1)
    finest = size * pixel_size_A / np.maximum(n_rings, 1)
    return np.where(n_rings >= _FEWEST_RINGS, finest, np.inf)


def _mean_of(
    transform: PolarTransform, boxes: Float32Array, averages: AverageSet
) -> ComplexArray:
    return average_in_poses(
        transform,
        transform.sample(boxes),
        averages.poses,
        ~averages.is_outlying,
        len(averages.coefficients),
    )


def _ring_correlations(
    transform: PolarTransform, first: ComplexArray, second: ComplexArray
) -> Float32Array:
    """Return the ring correlations of each average with the most similar other one."""
    samples = transform.sample_again(first)
    poses = pose_samples(transform, samples, second, transform.rings)
    moved = transform.expand(transform.move(samples, poses.shift))
    laid = transform.turn(moved, poses.angle)
    other = second[poses.average]
    shared = (laid * other.conj()).real @ transform.multiplicity
    power = transform.ring_power(laid) * transform.ring_power(other)
    return np.asarray(shared / np.sqrt(np.maximum(power, np.finfo(np.float32).tiny)))

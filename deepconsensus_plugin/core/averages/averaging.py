# SPDX-License-Identifier: GPL-3.0-or-later
"""Averages of aligned boxes, without a reference: rounds of matching and averaging.

Coarse rounds on some boxes find the averages, fine rounds on all of them sharpen these.
Every box belongs to the average with which it correlates best; those that fit it much
worse than its other members are kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from deepconsensus_plugin.core.averages.matching import Poses, lay_on, match
from deepconsensus_plugin.core.averages.polar import (
    ComplexArray,
    Float32Array,
    PolarTransform,
    ring_weights,
)
from deepconsensus_plugin.core.averages.seeding import choose_seeds
from deepconsensus_plugin.core.robust import centre_and_scale
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

FEWEST_MEMBERS = 5
"""Boxes that an average needs."""
_LARGEST_SHIFT = 0.1
"""Largest shift along each axis, in boxes."""

_ENOUGH = 1500
"""Boxes from which averages are found; finer rounds use all."""
_COARSE_RINGS = 8
_COARSE_STEPS = (0.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0)
_FINE_STEPS = (2.0, 1.0, 0.5)
"""Steps of the shifts in each round, pixels; the three fine ones reach 3.5 pixels."""
_OUTLYING = 2.5
"""Deviations below its average's middle at which a box is kept apart."""


@dataclass(frozen=True, eq=False)
class AverageSet:
    """Averages of n boxes, and the pose of each box.

    Parameters
    ----------
    coefficients : array, shape (k, rings, orders)
        Centred averages.
    weights : array, shape (rings,)
        Weights of the rings in scalar products: area over mean power of the boxes.
    poses : Poses
        n, on these averages before they were centred.
    is_outlying : array, shape (n,), bool
        Boxes that were kept apart.
    origin : array, shape (k,), int
        Row of each among the averages that it was begun with.
    """

    coefficients: ComplexArray
    weights: Float32Array
    poses: Poses
    is_outlying: BoolArray
    origin: IntArray

    @property
    def n_members(self) -> IntArray:
        """Number of boxes in each average, shape (k,)."""
        inside = self.poses.average[~self.is_outlying]
        return np.bincount(inside, minlength=len(self.coefficients))


def find_averages(
    boxes: Float32Array,
    fine: PolarTransform,
    n_averages: int,
    rng: np.random.Generator,
) -> AverageSet:
    """Return averages of boxes, aligned without any reference.

    Parameters
    ----------
    boxes : array, shape (n, size, size)
        Particles white, of mean 0 and deviation 1, in an order that tells nothing:
        the first are used to begin with.
    fine : PolarTransform
        Transform of the last rounds.
    n_averages : int
        Number of averages to begin with, at most n; fewer can be left.
    rng : numpy.random.Generator
        Source of the first averages.
    """
    coarse = PolarTransform(
        fine.size, min(_COARSE_RINGS, fine.n_rings), fine.mask_radius, fine.mask_edge
    )
    coefficients = _find_coarse(boxes[:_ENOUGH], coarse, n_averages, rng)
    return refine_averages(boxes, fine, _as_seen_by(fine, coefficients))


def refine_averages(
    boxes: Float32Array, transform: PolarTransform, averages: ComplexArray
) -> AverageSet:
    """Return averages of boxes, begun from others; those with few members are dropped.

    Parameters
    ----------
    boxes : array, shape (n, size, size)
        As `find_averages` takes them.
    transform : PolarTransform
        Transform of the averages.
    averages : array, shape (k, rings, orders)
        Averages to begin with, k >= 1.
    """
    samples = transform.sample(boxes)
    weights = ring_weights(transform, samples)
    length = transform.norms(transform.expand(samples), weights)
    poses = Poses.at_rest(len(boxes))
    origin = np.arange(len(averages))
    for step in _FINE_STEPS:
        poses = _match(transform, samples, averages, weights, poses, step)
        kept = ~_is_outlying(poses, length)
        averages = average_in_poses(transform, samples, poses, kept, len(averages))
        is_left = (
            np.bincount(poses.average[kept], minlength=len(averages)) >= FEWEST_MEMBERS
        )
        if is_left.any():
            averages, origin = averages[is_left], origin[is_left]
    poses = _match(transform, samples, averages, weights, poses, 0.0)
    return AverageSet(
        centred(transform, averages),
        weights,
        poses,
        _is_outlying(poses, length),
        origin,
    )


def find_poses(
    boxes: Float32Array,
    transform: PolarTransform,
    averages: ComplexArray,
    weights: Float32Array,
) -> tuple[Poses, Float32Array]:
    """Return the pose of each box on given averages, and its correlation, shape (n,).

    Parameters
    ----------
    boxes : array, shape (n, size, size)
        As `find_averages` takes them; any number at a time gives the same.
    transform, averages, weights
        Transform, averages and weights of an `AverageSet`.
    """
    samples = transform.sample(boxes)
    poses = pose_samples(transform, samples, averages, weights)
    length = transform.norms(transform.expand(samples), weights)
    correlation = poses.product / np.maximum(length, np.finfo(np.float32).tiny)
    return poses, np.asarray(correlation)


def pose_samples(
    transform: PolarTransform,
    samples: ComplexArray,
    averages: ComplexArray,
    weights: Float32Array,
) -> Poses:
    """Return the pose of each sampled box on given averages, from rest."""
    poses = Poses.at_rest(len(samples))
    for step in _FINE_STEPS:
        poses = _match(transform, samples, averages, weights, poses, step)
    return poses


def centred(transform: PolarTransform, coefficients: ComplexArray) -> ComplexArray:
    """Return averages moved so that the middle of their bright part is the centre."""
    images = transform.draw(coefficients) * transform.mask
    highest = images.max(axis=(1, 2), initial=0, keepdims=True)
    bright = np.maximum(images - highest / 3, 0)
    axis = np.arange(transform.size) - transform.size // 2
    moments = (bright.sum(axis=2) @ axis, bright.sum(axis=1) @ axis)
    mass = np.maximum(bright.sum(axis=(1, 2)), np.finfo(np.float32).tiny)
    middle = np.stack(moments, axis=1) / mass[:, None]
    moved = transform.move(transform.sample_again(coefficients), -middle)
    return transform.expand(moved)


def average_in_poses(
    transform: PolarTransform,
    samples: ComplexArray,
    poses: Poses,
    kept: BoolArray,
    n_averages: int,
) -> ComplexArray:
    """Return the mean of the kept boxes of each average, shape (n_averages, …)."""
    total = np.zeros(
        (n_averages, transform.n_rings, transform.n_angles), dtype=np.complex64
    )
    for some, laid in lay_on(transform, samples, poses):
        own = poses.average[some]
        for average in np.unique(own[kept[some]]):
            total[average] += laid[kept[some] & (own == average)].sum(axis=0)
    n_members = np.bincount(poses.average[kept], minlength=n_averages)
    share = 1 / np.maximum(n_members, 1).astype(np.float32)
    return total * share[:, None, None]


def _find_coarse(
    boxes: Float32Array,
    transform: PolarTransform,
    n_averages: int,
    rng: np.random.Generator,
) -> ComplexArray:
    samples = transform.sample(boxes)
    weights = ring_weights(transform, samples)
    at_rest = transform.expand(samples)
    length = transform.norms(at_rest, weights)
    averages = at_rest[choose_seeds(at_rest, n_averages, rng)]
    poses = Poses.at_rest(len(boxes))
    few = np.zeros(n_averages, dtype=bool)
    for step in _COARSE_STEPS:
        averages[few] = at_rest[rng.choice(len(boxes), int(few.sum()))]
        poses = _match(transform, samples, averages, weights, poses, step)
        kept = ~_is_outlying(poses, length)
        averages = average_in_poses(transform, samples, poses, kept, n_averages)
        few = np.bincount(poses.average[kept], minlength=n_averages) < FEWEST_MEMBERS
    return averages if few.all() else averages[~few]


_match = partial(match, largest_shift=_LARGEST_SHIFT)


def _is_outlying(poses: Poses, length: FloatArray) -> BoolArray:
    """Return which boxes correlate much less than others of the same average."""
    correlation = poses.product / np.maximum(length, np.finfo(np.float32).tiny)
    outlying = np.zeros(len(correlation), dtype=bool)
    for average in np.unique(poses.average):
        members = poses.average == average
        centre, scale = centre_and_scale(correlation[members][:, None])
        outlying[members] = correlation[members] < centre - _OUTLYING * scale
    return outlying


def _as_seen_by(fine: PolarTransform, coefficients: ComplexArray) -> ComplexArray:
    """Return coarse coefficients on the rings and orders of a finer transform."""
    k, rings, orders = coefficients.shape
    seen = np.zeros((k, fine.n_rings, fine.n_angles), dtype=np.complex64)
    seen[:, :rings, :orders] = coefficients
    return seen

# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes matched with averages over all rotations and some shifts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.averages.polar import (
    ComplexArray,
    Float32Array,
    PolarTransform,
)
from deepconsensus_plugin.core.types import FloatArray, IntArray

_AT_ONCE = 512
_NEIGHBOURS = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
"""Shifts that are tried around the present one, in steps; the present one first, so
that it stays where others are no better."""


@dataclass(frozen=True, eq=False)
class Poses:
    """Pose of n boxes: the average they look like most, and how they lie on it.

    Parameters
    ----------
    average : array, shape (n,), int
        Row of the average.
    angle : array, shape (n,)
        Rotation that brings the box onto it, radians, from the x axis to the y axis;
        -2π to 0.
    shift : array, shape (n, 2)
        Shift of the content, before the rotation, pixels of the reduced box.
    product : array, shape (n,), float32
        Scalar product with the average, which has length 1.
    """

    average: IntArray
    angle: FloatArray
    shift: FloatArray
    product: Float32Array

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.average)

    def take(self, rows: IntArray) -> Poses:
        """Return the poses of some boxes."""
        return Poses(
            self.average[rows], self.angle[rows], self.shift[rows], self.product[rows]
        )

    @classmethod
    def at_rest(cls, n: int) -> Poses:
        """Return poses without any shift, on the first average."""
        return cls(
            np.zeros(n, dtype=np.intp),
            np.zeros(n),
            np.zeros((n, 2)),
            np.zeros(n, dtype=np.float32),
        )


def match(
    transform: PolarTransform,
    samples: ComplexArray,
    averages: ComplexArray,
    weights: Float32Array,
    poses: Poses,
    step: float,
    *,
    largest_shift: float,
) -> Poses:
    """Return the best pose of each box, over averages, rotations and nearby shifts.

    Parameters
    ----------
    transform : PolarTransform
        Transform that made the samples.
    samples : array, shape (n, rings, angles)
        Boxes.
    averages : array, shape (k, rings, orders)
        Coefficients of averages, k >= 1. Their length does not matter.
    weights : array, shape (rings,)
        Weights of the rings in scalar products.
    poses : Poses
        Present poses, of which the shifts are used.
    step : float
        Shifts that are tried lie this far from the present one, pixels. 0: none.
    largest_shift : float
        Along each axis, in boxes.
    """
    limit = largest_shift * transform.size
    unit = _unit(transform, averages, weights)
    parts = [
        _match_some(
            transform, samples[some], unit, weights, poses.shift[some], step, limit
        )
        for some in _slices(len(samples))
    ]
    if not parts:
        return Poses.at_rest(0)
    return Poses(
        np.concatenate([part.average for part in parts]),
        np.concatenate([part.angle for part in parts]),
        np.concatenate([part.shift for part in parts]),
        np.concatenate([part.product for part in parts]),
    )


def correlate(
    transform: PolarTransform,
    coefficients: ComplexArray,
    averages: ComplexArray,
    weights: Float32Array,
) -> Float32Array:
    """Return the best correlation of each spectrum with each average, shape (n, k)."""
    unit = _unit(transform, averages, weights)
    products = _rotation_products(
        transform, _unit(transform, coefficients, weights), unit, weights
    )
    return np.asarray(products.max(axis=-1))


def lay_on(
    transform: PolarTransform, samples: ComplexArray, poses: Poses
) -> Iterator[tuple[slice, ComplexArray]]:
    """Yield which boxes, and their coefficients in the poses, some at a time."""
    for some in _slices(len(samples)):
        moved = transform.expand(transform.move(samples[some], poses.shift[some]))
        yield some, transform.turn(moved, poses.angle[some])


def _slices(n: int) -> list[slice]:
    return [slice(first, first + _AT_ONCE) for first in range(0, n, _AT_ONCE)]


def _unit(
    transform: PolarTransform, averages: ComplexArray, weights: Float32Array
) -> ComplexArray:
    length = transform.norms(averages, weights)
    scale = 1 / np.maximum(length, np.finfo(np.float32).tiny)
    return np.asarray(averages * scale[:, None, None])


def _match_some(
    transform: PolarTransform,
    samples: ComplexArray,
    unit: ComplexArray,
    weights: Float32Array,
    shift: FloatArray,
    step: float,
    limit: float,
) -> Poses:
    rows = np.arange(len(samples))
    best = Poses.at_rest(len(samples))
    best.product.fill(-np.inf)
    for neighbour in _NEIGHBOURS if step else _NEIGHBOURS[:1]:
        tried = np.clip(shift + step * neighbour, -limit, limit)
        moved = transform.expand(transform.move(samples, tried))
        products = _rotation_products(transform, moved, unit, weights)
        highest = products.max(axis=-1)
        average = highest.argmax(axis=1)
        product = highest[rows, average]
        is_better = product > best.product
        angle = -transform.angle_step * products[rows, average].argmax(axis=1)
        best = Poses(
            np.where(is_better, average, best.average),
            np.where(is_better, angle, best.angle),
            np.where(is_better[:, None], tried, best.shift),
            np.where(is_better, product, best.product),
        )
    return best


def _rotation_products(
    transform: PolarTransform,
    coefficients: ComplexArray,
    unit: ComplexArray,
    weights: Float32Array,
) -> Float32Array:
    """Return scalar products in all rotations back, shape (n, k, 2 · angles)."""
    n, k = len(coefficients), len(unit)
    weighted = (coefficients * weights[:, None]).transpose(2, 0, 1)
    by_order = np.matmul(weighted, unit.conj().transpose(2, 1, 0))
    parts = np.concatenate([by_order.real, by_order.imag]).reshape(-1, n * k)
    return np.asarray(parts.T @ transform.rotation_waves).reshape(n, k, -1)

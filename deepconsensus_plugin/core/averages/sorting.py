# SPDX-License-Identifier: GPL-3.0-or-later
"""Candidates sorted into averages of all of them, and compared with those of halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.averages.averaging import (
    AverageSet,
    find_poses,
    refine_averages,
)
from deepconsensus_plugin.core.averages.halves import (
    Halves,
    average_halves,
    content_order,
)
from deepconsensus_plugin.core.averages.matching import Poses, lay_on
from deepconsensus_plugin.core.averages.parameters import AveragesParameters
from deepconsensus_plugin.core.averages.polar import Float32Array, PolarTransform
from deepconsensus_plugin.core.averages.resolution import resolutions
from deepconsensus_plugin.core.types import BoolArray, IntArray

_SHOWN = 0.45
"""Radius of what pictures of averages show, in boxes."""


def transform_of_pictures(size: int) -> PolarTransform:
    """Return the transform by which pictures of averages are made.

    `size` is the side of the boxes, pixels.
    """
    return PolarTransform(size, size // 2 - 2, _SHOWN * size)


@dataclass(frozen=True, eq=False)
class Sorted:
    """Result of sorting n boxes.

    Parameters
    ----------
    poses : Poses
        n, on the averages of all boxes.
    amplitude, correlation : array, shape (n,), float32
        As `Halves.compare` returns them.
    """

    poses: Poses
    amplitude: Float32Array
    correlation: Float32Array


@dataclass(frozen=True, eq=False)
class Matched:
    """Result of comparing boxes with averages, and what they add to pictures.

    Parameters
    ----------
    sorted : Sorted
        By box.
    laid : list of (int, array)
        Averages, each with a sum of boxes laid on it, in the order of the boxes.
    """

    sorted: Sorted
    laid: list[tuple[int, NDArray[np.complex64]]]


@dataclass(frozen=True, eq=False)
class Matcher:
    """Averages that boxes are compared with; it changes nothing.

    Parameters
    ----------
    halves : Halves
        Averages of the two halves.
    shared : AverageSet
        Averages of both.
    shown : PolarTransform
        Transform of the pictures.
    """

    halves: Halves
    shared: AverageSet
    shown: PolarTransform

    def __call__(self, boxes: Float32Array, is_second: BoolArray) -> Matched:
        """Return what averages tell of boxes; see `Sorter.sort`."""
        poses, _ = find_poses(
            boxes,
            self.halves.transform,
            self.shared.coefficients,
            self.shared.weights,
        )
        samples = self.shown.sample(boxes)
        laid_on = []
        for some, laid in lay_on(self.shown, samples, poses):
            own = poses.average[some]
            for average in np.unique(own).tolist():
                laid_on.append((average, laid[own == average].sum(axis=0)))
        amplitude, correlation = self.halves.compare(boxes, is_second)
        return Matched(Sorted(poses, amplitude, correlation), laid_on)


class Sorter:
    """Averages of a sample, into which any number of boxes are sorted.

    Parameters
    ----------
    boxes : array, shape (n, size, size)
        The sample, as `reduced_boxes` yields them.
    is_second : array, shape (n,), bool
        Which half each belongs to.
    parameters : AveragesParameters
        Number of averages, resolution and seed.
    pixel_size_A : float
        Of the boxes, Å.
    finest_A : float
        Finest detail that their micrographs hold, Å; 0 where the boxes hold as much as
        they can.
    """

    def __init__(
        self,
        boxes: Float32Array,
        is_second: BoolArray,
        parameters: AveragesParameters,
        *,
        pixel_size_A: float,
        finest_A: float = 0.0,
    ) -> None:
        scale = {"pixel_size_A": pixel_size_A, "finest_A": finest_A}
        self.halves = average_halves(boxes, is_second, parameters, **scale)
        first = self.halves.sets[0]
        transform = self.halves.transform
        shared = refine_averages(
            boxes[content_order(boxes)], transform, first.coefficients
        )
        of_first = resolutions(self.halves, boxes, is_second, **scale)
        self.resolution_A = of_first[shared.origin]
        self.shared: AverageSet = shared
        self.shown = transform_of_pictures(transform.size)
        self._total = np.zeros(
            (len(shared.coefficients), self.shown.n_rings, self.shown.n_angles),
            dtype=np.complex64,
        )
        self._n_laid = np.zeros(len(shared.coefficients), dtype=np.intp)

    @property
    def mask_radius(self) -> float:
        """Radius of the mask within which boxes are aligned, pixels."""
        return self.halves.transform.mask_radius

    def sort(self, boxes: Float32Array, is_second: BoolArray) -> Sorted:
        """Return what averages tell of boxes, which are added to the pictures.

        Parameters
        ----------
        boxes : array, shape (n, size, size)
            As `reduced_boxes` yields them.
        is_second : array, shape (n,), bool
            Which half each belongs to.
        """
        return self.add(self.matcher(boxes, is_second))

    @property
    def matcher(self) -> Matcher:
        """Function that tells what averages tell of boxes, in any process."""
        return Matcher(self.halves, self.shared, self.shown)

    def add(self, matched: Matched) -> Sorted:
        """Add boxes to the pictures; return what averages tell of them."""
        for average, laid in matched.laid:
            self._total[average] += laid
        own = matched.sorted.poses.average
        self._n_laid += np.bincount(own, minlength=len(self._n_laid))
        return matched.sorted

    def pictures(self) -> Float32Array:
        """Return the averages of all boxes sorted so far, shape (k, size, size)."""
        share = 1 / np.maximum(self._n_laid, 1).astype(np.float32)
        return self.shown.draw(self._total * share[:, None, None])

    def by_size(self) -> IntArray:
        """Return the averages that hold a box, the one with most boxes first."""
        order = np.argsort(-self._n_laid, kind="stable")
        return order[self._n_laid[order] > 0]

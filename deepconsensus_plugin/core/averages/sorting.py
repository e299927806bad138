# SPDX-License-Identifier: GPL-3.0-or-later
"""Candidates sorted into averages of all of them, and compared with those of halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.averages.averaging import (
    AverageSet,
    find_poses,
    refine_averages,
)
from deepconsensus_plugin.core.averages.halves import (
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
        poses, _ = find_poses(
            boxes,
            self.halves.transform,
            self.shared.coefficients,
            self.shared.weights,
        )
        samples = self.shown.sample(boxes)
        for some, laid in lay_on(self.shown, samples, poses):
            own = poses.average[some]
            for average in np.unique(own):
                self._total[average] += laid[own == average].sum(axis=0)
        self._n_laid += np.bincount(poses.average, minlength=len(self._n_laid))
        amplitude, correlation = self.halves.compare(boxes, is_second)
        return Sorted(poses, amplitude, correlation)

    def pictures(self) -> Float32Array:
        """Return the averages of all boxes sorted so far, shape (k, size, size)."""
        share = 1 / np.maximum(self._n_laid, 1).astype(np.float32)
        return self.shown.draw(self._total * share[:, None, None])

    def by_size(self) -> IntArray:
        """Return the averages that hold a box, the one with most boxes first."""
        order = np.argsort(-self._n_laid, kind="stable")
        return order[self._n_laid[order] > 0]

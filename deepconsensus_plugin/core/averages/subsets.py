# SPDX-License-Identifier: GPL-3.0-or-later
"""Averages of some members only, such as the accepted ones, in the poses of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.averages.averaging import FEWEST_MEMBERS
from deepconsensus_plugin.core.averages.matching import Poses, lay_on
from deepconsensus_plugin.core.averages.polar import Float32Array
from deepconsensus_plugin.core.averages.reduced_boxes import reduced_boxes
from deepconsensus_plugin.core.averages.sorting import transform_of_pictures
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.types import FloatArray, IntArray, Micrograph

MOST_MICROGRAPHS = 40
"""Micrographs that are read again; more do not change what the eye sees."""

Part = tuple[IntArray, Float32Array]
"""Rows of candidates, and their boxes."""


@dataclass(frozen=True, eq=False)
class SubsetAverages:
    """Averages of g groups of members, of each of k averages.

    Parameters
    ----------
    images : array, shape (g, k, size, size), float32
        Means, particles white; 0 where a group has no member.
    n_members : array, shape (g, k), int
        Boxes in each.
    """

    images: Float32Array
    n_members: IntArray

    @property
    def have_enough(self) -> IntArray:
        """Averages of which every group has enough members to be looked at."""
        return np.flatnonzero((self.n_members >= FEWEST_MEMBERS).all(axis=0))


def average_subsets(
    parts: Iterable[Part],
    table: AveragesTable,
    group: IntArray,
    n_groups: int,
    *,
    sampling_rate: float,
) -> SubsetAverages:
    """Return the averages of groups of candidates, each in the pose it has.

    Parameters
    ----------
    parts : iterable of Part
        Boxes as `reduced_boxes` yields them, of any candidates, in any order; dark
        particles may be white or black.
    table : AveragesTable
        Averages of all, n candidates.
    group : array, shape (n,), int
        Group of each candidate, from 0; -1 for none.
    n_groups : int
        Number of groups.
    sampling_rate : float
        Å/px of the micrographs, in whose pixels the table tells offsets.
    """
    size, k = table.images.shape[-1], len(table.images)
    transform = transform_of_pictures(size)
    shape = n_groups * k, transform.n_rings, transform.n_angles
    total = np.zeros(shape, dtype=np.complex64)
    n_laid = np.zeros(n_groups * k, dtype=np.intp)
    for rows, boxes in parts:
        chosen = (table.average[rows] >= 0) & (group[rows] >= 0)
        own = rows[chosen]
        place = group[own] * k + table.average[own]
        samples = transform.sample(boxes[chosen])
        poses = _poses(table, own, table.pixel_size_A / sampling_rate)
        for some, laid in lay_on(transform, samples, poses):
            np.add.at(total, place[some], laid)
        n_laid += np.bincount(place, minlength=n_groups * k)
    share = 1 / np.maximum(n_laid, 1).astype(np.float32)
    images = transform.draw(total * share[:, None, None])
    images = images.reshape(n_groups, k, size, size)
    n_members = n_laid.reshape(n_groups, k)
    return SubsetAverages(_contrast(images, n_members, table) * images, n_members)


def read_subsets(
    micrographs: Sequence[Micrograph],
    micrograph_index: IntArray,
    yx: FloatArray,
    table: AveragesTable,
    group: IntArray,
    n_groups: int,
) -> SubsetAverages:
    """Return the averages of groups of candidates, from boxes that are read again.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Those that were averaged, of one sampling rate. Where there are many, an even
        choice of them is read.
    micrograph_index : array, shape (n,), int
        The micrograph of each candidate; -1 for one that is not there.
    yx : array, shape (n, 2)
        Their centres, pixels.
    table, group, n_groups
        As for `average_subsets`.
    """
    rows = rows_of_groups(micrograph_index, len(micrographs))
    filled = [number for number, own in enumerate(rows) if len(own)]
    spread = np.linspace(0, len(filled) - 1, min(len(filled), MOST_MICROGRAPHS))
    size = table.images.shape[-1]

    def cut(number: int) -> Part:
        micrograph, own = micrographs[number], rows[number]
        box_size = round(size * table.pixel_size_A / micrograph.sampling_rate)
        boxes = reduced_boxes(micrograph, yx[own], box_size, are_particles_dark=True)
        return own, np.concatenate([*boxes])

    read = [filled[at] for at in spread.round().astype(int)]
    return average_subsets(
        map_ahead(cut, read, workers=2),
        table,
        group,
        n_groups,
        sampling_rate=micrographs[0].sampling_rate,
    )


def _poses(table: AveragesTable, rows: IntArray, scale: float) -> Poses:
    """Return poses of some candidates; `scale` is pixels per pixel of the averages."""
    return Poses(
        table.average[rows],
        np.deg2rad(table.angle_deg[rows]),
        -table.offset_yx[rows] / scale,
        np.zeros(len(rows), dtype=np.float32),
    )


def _contrast(
    images: Float32Array, n_members: IntArray, table: AveragesTable
) -> np.float32:
    """Return 1, or -1 where boxes were black and the averages are white."""
    weighted = (images * n_members[:, :, None, None]).sum(axis=0)
    return np.float32(-1 if (weighted * table.images).sum() < 0 else 1)

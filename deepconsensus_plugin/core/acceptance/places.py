# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of candidates on their micrographs, and what a spacing says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.extraction import round_centres
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    Micrograph,
)
from deepconsensus_plugin.core.usable_area.permitting import are_permitted


@dataclass(frozen=True, eq=False)
class Places:
    """Positions of n candidates on m micrographs.

    Parameters
    ----------
    yx : array, shape (n, 2)
        Centres, pixels of the micrographs.
    micrograph : array, shape (n,), int
        The micrograph of each; -1 where it is not known.
    shapes : array, shape (m, 2), float
        Rows and columns of the micrographs; NaN where they are not known.
    box_size : int
        Pixels; 0 where it is not known.
    sampling_rate : float
        Å/px.
    is_bad : array, shape (m,), bool, optional
        Which micrographs are bad (`core.usable_area.bad_micrographs`). None: none of
        them.
    area_distance_px : array, shape (n,), optional
        Distance of each to unusable area, as `Candidates` know it. None: not known.
    """

    yx: FloatArray
    micrograph: IntArray
    shapes: FloatArray
    box_size: int
    sampling_rate: float
    is_bad: BoolArray | None = None
    area_distance_px: FloatArray | None = None

    @classmethod
    def of(
        cls, candidates: Candidates, micrographs: Sequence[Micrograph], box_size: int
    ) -> Places:
        """Return the places of candidates on micrographs of one sampling rate.

        Raises
        ------
        KeyError
            If a micrograph of the candidates is not there.
        """
        by_name = {micrograph.name: micrograph for micrograph in micrographs}
        shapes = [by_name[name].shape for name in candidates.micrographs]
        return cls(
            candidates.yx,
            candidates.micrograph_index,
            np.array(shapes, dtype=np.float64).reshape(-1, 2),
            box_size,
            micrographs[0].sampling_rate,
            np.isin(candidates.micrographs, candidates.bad_micrographs),
            candidates.area_distance_px,
        )

    @property
    def extents(self) -> FloatArray:
        """Rows and columns of the micrograph of each candidate, shape (n, 2)."""
        # The last row is that of -1.
        shapes = np.vstack([self.shapes, np.full((1, 2), np.nan)])
        return np.asarray(shapes[self.micrograph])


def are_on_good_micrographs(places: Places, _: Spacing) -> BoolArray:
    """Return which candidates are on a micrograph that is not bad, shape (n,)."""
    if places.is_bad is None:
        return np.ones(len(places.yx), dtype=bool)
    # The last row is that of -1.
    return np.asarray(~np.append(places.is_bad, False)[places.micrograph])


def are_on_usable_area(places: Places, spacing: Spacing) -> BoolArray:
    """Return which candidates are where particles can be, shape (n,)."""
    if places.area_distance_px is None:
        return np.ones(len(places.yx), dtype=bool)
    return are_permitted(
        places.area_distance_px, avoid_contamination=spacing.avoid_contamination
    )


def are_off_border(places: Places, spacing: Spacing) -> BoolArray:
    """Return which candidates are far enough inside their micrograph, shape (n,).

    Their box, as `core.extraction` cuts it, is on the micrograph, unless it may be over
    the edge, and their centre is at least `border_A` from the edge. Where a shape is
    not known, only the edges at 0 count.
    """
    yx, extents = places.yx, places.extents
    distance = spacing.border_A / places.sampling_rate
    too_near = (yx < distance) | (extents - yx < distance)
    if not spacing.over_border and places.box_size:
        corners = round_centres(yx) - places.box_size // 2
        too_near |= (corners < 0) | (corners + places.box_size > extents)
    known = places.micrograph >= 0
    return np.asarray(~(too_near.any(axis=1) & known))


def best_neighbours(
    places: Places, score: FloatArray, *, distance_A: float
) -> FloatArray:
    """Return the best score of the others that are nearer than a distance.

    Parameters
    ----------
    places : Places
        n candidates.
    score : array, shape (n,)
        NaN where there is none.
    distance_A : float
        Å, >= 0. Candidates at exactly this distance are no neighbours.

    Returns
    -------
    array, shape (n,)
        Minus infinity where there is no such neighbour with a score.
    """
    best = np.full(len(score), -np.inf)
    rows = np.flatnonzero(~np.isnan(score) & (places.micrograph >= 0))
    if not distance_A > 0 or len(rows) < 2:
        return best
    yx, distance = places.yx[rows], distance_A / places.sampling_rate
    # One tree: along a third axis, micrographs are too far from each other.
    apart = 2.0 * distance * places.micrograph[rows]
    points = np.column_stack([yx, apart])
    pairs = rows[cKDTree(points).query_pairs(distance, output_type="ndarray")]
    one, other = pairs.T
    near = np.hypot(*(places.yx[one] - places.yx[other]).T) < distance
    for here, there in ((one[near], other[near]), (other[near], one[near])):
        np.maximum.at(best, here, score[there])
    return best

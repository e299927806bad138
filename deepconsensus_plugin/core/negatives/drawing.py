# SPDX-License-Identifier: GPL-3.0-or-later
"""Random negatives: centres far from every candidate, anywhere on the micrographs.

Deep Consensus, section 2.3: coordinates drawn at random, those closer than 50 % of the
particle size to any coordinate of OR removed. Every pixel whose box lies inside the
micrograph and that is far enough from what is occupied is as likely as every other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    Micrograph,
    ScoredCoordinates,
)

ArePermitted = Callable[[FloatArray], BoolArray]
"""Function that tells of positions, shape (n, 2), which are permitted, shape (n,)."""

_BATCHES = 12
"""Rounds of drawing at random before a micrograph's free pixels are counted out."""


@dataclass(frozen=True, eq=False)
class FreeArea:
    """The centres of one micrograph where a box of background can be.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the micrograph.
    box_size : int
        A box around a centre must be inside; pixels.
    occupied_yx : array, shape (n, 2)
        Centres to stay away from, pixels.
    exclusion_radius_px : float
        Free is what is farther than this from all of those; >= 0.
    are_permitted : callable, optional
        Function that tells which positions are permitted. None: all are.
    """

    shape: tuple[int, int]
    box_size: int
    occupied_yx: FloatArray
    exclusion_radius_px: float
    are_permitted: ArePermitted | None = None

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns of the centres whose boxes are inside."""
        rows, cols = (max(0, length - self.box_size + 1) for length in self.shape)
        return rows, cols

    @property
    def n_centres(self) -> int:
        """Number of centres whose box lies inside, free or not."""
        return self.extent[0] * self.extent[1]

    def positions(self, index: IntArray) -> IntArray:
        """Return the centres ``yx`` of running numbers 0 … `n_centres` - 1."""
        first_pixels = np.stack(divmod(index, self.extent[1]), axis=1)
        return np.asarray(first_pixels + self.box_size // 2)

    def are_free(self, index: IntArray) -> BoolArray:
        """Return whether the centres of these running numbers are free."""
        positions = self.positions(index).astype(np.float64)
        free = np.ones(len(index), dtype=bool)
        if len(self.occupied_yx):
            distance, _ = cKDTree(self.occupied_yx).query(positions)
            free = np.asarray(distance > self.exclusion_radius_px)
        return (
            free if self.are_permitted is None else free & self.are_permitted(positions)
        )

    def all_free(self) -> IntArray:
        """Return the running numbers of all free centres, ascending."""
        free = np.ones(self.extent, dtype=bool)
        radius = self.exclusion_radius_px
        for y, x in self.occupied_yx - self.box_size // 2:
            low_y, high_y = _clipped(y, radius, self.extent[0])
            low_x, high_x = _clipped(x, radius, self.extent[1])
            rows, cols = np.ogrid[low_y:high_y, low_x:high_x]
            far = (rows - y) ** 2 + (cols - x) ** 2 > radius**2
            free[low_y:high_y, low_x:high_x] &= far
        index = np.flatnonzero(free)
        if self.are_permitted is None:
            return index
        return index[self.are_permitted(self.positions(index).astype(np.float64))]


def _clipped(centre: float, radius: float, length: int) -> tuple[int, int]:
    """Return the range of pixels 0 … `length` - 1 that may be within the radius."""
    low, high = np.clip([np.floor(centre - radius), centre + radius + 1], 0, length)
    return int(low), int(high)


def draw_random_negatives(
    micrographs: Sequence[Micrograph],
    occupied: Mapping[str, ScoredCoordinates],
    n_negatives: int,
    *,
    box_size: int,
    exclusion_radius_px: float,
    rng: np.random.Generator,
    are_recorded: Mapping[str, ArePermitted] | None = None,
) -> dict[str, ScoredCoordinates]:
    """Return random centres of background, as many on every micrograph as can be.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Where to draw; names differ.
    occupied : mapping of micrograph name to ScoredCoordinates
        What to stay away from: all candidates. A name that is absent has none.
    n_negatives : int
        Total number, >= 0. If a micrograph has too little room, others provide more.
    box_size : int
        Boxes of this side lie inside the micrograph; pixels, >= 1.
    exclusion_radius_px : float
        Centres are farther than this from all that is occupied; >= 0.
    rng : numpy.random.Generator
        Source of chance.
    are_recorded : mapping of micrograph name to callable, optional
        Functions that tell which positions may be drawn; a name that is absent has no
        limits.

    Returns
    -------
    dict of micrograph name to ScoredCoordinates
        Whole pixels, no two alike, without scores; all micrographs, in their order.
        Fewer than `n_negatives` in all if there is no room for more.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    if n_negatives < 0 or box_size < 1 or not 0 <= exclusion_radius_px < np.inf:
        raise ValueError(
            "expected n_negatives >= 0, box_size >= 1 and exclusion_radius_px >= 0, "
            f"received {n_negatives}, {box_size} and {exclusion_radius_px}"
        )
    nothing = ScoredCoordinates.from_arrays([])
    areas = [
        FreeArea(
            shape=micrograph.shape,
            box_size=box_size,
            occupied_yx=occupied.get(micrograph.name, nothing).yx,
            exclusion_radius_px=exclusion_radius_px,
            are_permitted=(are_recorded or {}).get(micrograph.name),
        )
        for micrograph in micrographs
    ]
    drawn = _draw_evenly(areas, n_negatives, rng)
    return {
        micrograph.name: ScoredCoordinates.from_arrays(area.positions(index))
        for micrograph, area, index in zip(micrographs, areas, drawn, strict=True)
    }


def _draw_evenly(
    areas: Sequence[FreeArea], n: int, rng: np.random.Generator
) -> list[IntArray]:
    """Draw from every area alike; what one cannot give is shared by the others."""
    drawn: list[IntArray] = [np.empty(0, dtype=np.int64) for _ in areas]
    able = [i for i, area in enumerate(areas) if area.n_centres]
    missing = n
    while missing and able:
        shares = np.full(len(able), missing // len(able))
        shares[rng.permutation(len(able))[: missing % len(able)]] += 1
        exhausted = set()
        for i, share in zip(able, shares, strict=True):
            more = _draw_more(areas[i], int(share), drawn[i], rng)
            missing -= len(more) - len(drawn[i])
            if len(more) < len(drawn[i]) + share:
                exhausted.add(i)
            drawn[i] = more
        able = [i for i in able if i not in exhausted]
    return drawn


def _draw_more(
    area: FreeArea, n: int, drawn: IntArray, rng: np.random.Generator
) -> IntArray:
    """Add up to `n` free centres to those `drawn`, all different."""
    goal = len(drawn) + n
    for _ in range(_BATCHES):
        missing = goal - len(drawn)
        if not missing:
            return drawn
        batch = rng.integers(area.n_centres, size=2 * missing + 16)
        both = np.concatenate([drawn, batch[area.are_free(batch)]])
        _, first = np.unique(both, return_index=True)
        drawn = both[np.sort(first)][:goal]
    left = np.setdiff1d(area.all_free(), drawn)
    chosen = rng.permutation(left)[: goal - len(drawn)]
    return np.concatenate([drawn, chosen])

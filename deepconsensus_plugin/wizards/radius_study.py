# SPDX-License-Identifier: GPL-3.0-or-later
"""Study of the agreement at any consensus radius, on some of the micrographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray, PickerPicks

_MOST_PICKS = 20_000
"""Their consensus takes less than a tenth of a second: as fast as a mouse moves."""
_N_RADII = 16
"""Radii of the curves."""


@dataclass(frozen=True)
class RadiusStudy:
    """Picks of k pickers, and the consensus of them at any radius.

    Parameters
    ----------
    pickers : tuple of PickerPicks
        Picks of the same micrographs; see `of_some`.
    box_size : float
        Pixels.
    merge_radius : float
        Boxes; no consensus radius is larger.
    n_micrographs : int
        How many there are, also those that are left out.
    """

    pickers: tuple[PickerPicks, ...]
    box_size: float
    merge_radius: float
    n_micrographs: int

    @classmethod
    def of_some(
        cls,
        pickers: Sequence[PickerPicks],
        *,
        box_size: float,
        merge_radius: float,
        n_picks: int = _MOST_PICKS,
    ) -> RadiusStudy:
        """Return a study of so many whole micrographs that it can follow the mouse.

        Parameters
        ----------
        pickers : sequence of PickerPicks
            Picks of all micrographs.
        box_size, merge_radius
            As for `RadiusStudy`.
        n_picks : int
            On the chosen micrographs, about; at least one micrograph is chosen, and
            they are spread evenly over all.
        """
        names = sorted(set().union(*(p.coordinates for p in pickers)))
        n_all = sum(map(len, pickers))
        n_chosen = min(len(names), max(1, int(len(names) * n_picks / max(1, n_all))))
        places = np.linspace(0, len(names) - 1, n_chosen).round().astype(int)
        chosen = {names[place] for place in places.tolist()}
        kept = tuple(_of_micrographs(picker, chosen) for picker in pickers)
        return cls(kept, box_size, merge_radius, len(names))

    @cached_property
    def micrographs(self) -> tuple[str, ...]:
        """Names of those that are looked at, sorted."""
        return tuple(sorted(set().union(*(p.coordinates for p in self.pickers))))

    @property
    def radii(self) -> FloatArray:
        """Radii that curves are drawn at, boxes, ascending up to the merge radius."""
        return np.linspace(self.merge_radius / _N_RADII, self.merge_radius, _N_RADII)

    def candidates_at(self, radius: float) -> Candidates:
        """Return the candidates at a consensus radius in boxes."""
        return find_consensus(
            self.pickers,
            consensus_radius_px=min(radius, self.merge_radius) * self.box_size,
            merge_radius_px=self.merge_radius * self.box_size,
        )

    def curves(self) -> Iterator[tuple[float, IntArray]]:
        """Yield each radius of the curves with what `count_agreed` makes of it."""
        for radius in self.radii.tolist():
            yield radius, count_agreed(self.candidates_at(radius))

    def on_micrograph(self, candidates: Candidates, name: str) -> AgreedPicks:
        """Return the picks of a micrograph, and what they agree on."""
        here = candidates.on_micrograph(name)
        picks = {
            p.picker: p.coordinates[name].yx
            for p in self.pickers
            if name in p.coordinates
        }
        return AgreedPicks(picks, here.agreed_yx, here.agreement)


def _of_micrographs(picker: PickerPicks, names: set[str]) -> PickerPicks:
    known = picker.coordinates.items()
    return replace(picker, coordinates={n: c for n, c in known if n in names})


def count_agreed(candidates: Candidates) -> IntArray:
    """Return on how many candidates exactly 1, 2, … k pickers agree, shape (k,)."""
    k = len(candidates.pickers)
    return np.bincount(candidates.agreement, minlength=k + 1)[1 : k + 1]


@dataclass(frozen=True, eq=False)
class AgreedPicks:
    """Picks of one micrograph, and the n candidates that they make.

    Parameters
    ----------
    picks : dict of str to array, shape (p, 2)
        Centres ``yx`` by picker, pixels.
    yx : array, shape (n, 2)
        Where the pickers agree that candidates are, pixels.
    agreement : array, shape (n,), int
        How many pickers agree.
    """

    picks: dict[str, FloatArray]
    yx: FloatArray
    agreement: IntArray

    def links(self, *, reach_px: float) -> FloatArray:
        """Return lines from picks to the nearest agreed places, yx, shape (l, 2, 2).

        Parameters
        ----------
        reach_px : float
            No line is longer; places where a picker is alone get none.
        """
        shared: BoolArray = self.agreement > 1
        picks = [yx for yx in self.picks.values() if len(yx)]
        if not shared.any() or not picks:
            return np.empty((0, 2, 2))
        ends = self.yx[shared]
        starts = np.concatenate(picks)
        distance, nearest = cKDTree(ends).query(starts)
        near = distance <= reach_px
        return np.stack([starts[near], ends[nearest[near]]], axis=1)

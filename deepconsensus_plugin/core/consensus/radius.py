# SPDX-License-Identifier: GPL-3.0-or-later
"""Agreement of pickers at any consensus radius, and the radius where it levels off.

Picks of one particle lie some way apart. As the radius grows, the agreement rises until
they have met, and hardly any more. Its plateau is found from the picks alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.finding import find_consensus
from deepconsensus_plugin.core.types import FloatArray, IntArray, PickerPicks

PLATEAU_SHARE = 0.95
"""Share of the agreement at the merge radius from which on it counts as level."""

_MOST_PICKS = 20_000
"""Their consensus takes less than a tenth of a second: as fast as a mouse moves."""
_N_RADII = 16
"""Radii of the curves."""


@dataclass(frozen=True)
class AgreementCurve:
    """Agreement of k pickers over the consensus radius, at r radii.

    Parameters
    ----------
    radii : list of float, r
        Boxes, ascending; the last one is the merge radius.
    n_agreed : list of list of int, (r, k)
        Candidates on which exactly 1, 2, … k pickers agree.
    """

    radii: list[float]
    n_agreed: list[list[int]]

    @property
    def at_least(self) -> IntArray:
        """Candidates on which at least 1, 2, … k pickers agree, shape (r, k)."""
        return np.asarray(np.cumsum(np.array(self.n_agreed)[:, ::-1], axis=1)[:, ::-1])

    @property
    def shares(self) -> FloatArray:
        """Confirmations of picks by other pickers, relative to the last radius, (r,).

        A candidate on which m pickers agree counts m - 1 times. NaN where no pickers
        agree on anything.
        """
        n_confirmed = np.array(self.n_agreed) @ np.arange(len(self.n_agreed[0]))
        with np.errstate(invalid="ignore"):
            return np.asarray(n_confirmed / n_confirmed[-1])

    def share_at(self, radius: float) -> float:
        """Return the share at a radius in boxes, between those of the curve."""
        return float(np.interp(radius, [0.0, *self.radii], [0.0, *self.shares]))

    @property
    def plateau(self) -> float | None:
        """Smallest radius, in hundredths of the box, from which on agreement is level.

        None where no pickers agree on anything.
        """
        if not np.isfinite(self.shares).all():
            return None
        steps = np.arange(1, round(100 * self.radii[-1]) + 1) / 100
        level = [r for r in steps.tolist() if self.share_at(r) >= PLATEAU_SHARE]
        return level[0] if level else self.radii[-1]


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
        """Radii of the curve, boxes, ascending up to the merge radius."""
        return np.linspace(self.merge_radius / _N_RADII, self.merge_radius, _N_RADII)

    def candidates_at(self, radius: float) -> Candidates:
        """Return the candidates at a consensus radius in boxes."""
        return find_consensus(
            self.pickers,
            consensus_radius_px=min(radius, self.merge_radius) * self.box_size,
            merge_radius_px=self.merge_radius * self.box_size,
        )

    def points(self) -> Iterator[tuple[float, IntArray]]:
        """Yield each radius of the curve with what `count_agreed` makes of it."""
        for radius in self.radii.tolist():
            yield radius, count_agreed(self.candidates_at(radius))

    def curve(self) -> AgreementCurve:
        """Return the agreement over the radius."""
        radii, counts = zip(*self.points(), strict=True)
        return AgreementCurve([*radii], [each.tolist() for each in counts])


def _of_micrographs(picker: PickerPicks, names: set[str]) -> PickerPicks:
    known = picker.coordinates.items()
    return replace(picker, coordinates={n: c for n, c in known if n in names})


def count_agreed(candidates: Candidates) -> IntArray:
    """Return on how many candidates exactly 1, 2, … k pickers agree, shape (k,)."""
    k = len(candidates.pickers)
    return np.bincount(candidates.agreement, minlength=k + 1)[1 : k + 1]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Table of candidates: every particle that any picker proposed, with provenance.

The consensus makes it and everything downstream reads it: one row per candidate (the
OR set), one column per picker, one flag per micrograph and picker for *was run there*.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    PickerPicks,
    ScoredCoordinates,
)

_COLUMNS = (
    *("micrograph_index", "yx", "found", "picker_scores", "agreement", "agreed_yx"),
    "area_distance_px",
)
"""The fields that have one row per candidate."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates of all micrographs, n rows; k pickers; m micrographs.

    Parameters
    ----------
    micrographs : tuple of str
        Names, sorted, m.
    pickers : tuple of str
        Names, sorted, k.
    observed : array, shape (m, k), bool
        Whether the picker was run on the micrograph.
    micrograph_index : array, shape (n,), int
        Row of `micrographs` that each candidate lies on; ascending.
    yx : array, shape (n, 2), float64
        Centres, pixels: the mean over the picks merged into the candidate.
    found : array, shape (n, k), bool
        Which pickers proposed it (within the merge radius).
    picker_scores : array, shape (n, k), float64
        Their own scores; NaN where there is none.
    agreement : array, shape (n,), int
        How many pickers agree on it within the consensus radius.
    agreed_yx : array, shape (n, 2), float64
        Mean over the picks of those agreeing pickers, pixels.
    bad_micrographs : tuple of str
        Names of those on which nothing can be judged
        (`core.usable_area.bad_micrographs`).
    area_distance_px : array, shape (n,), float64
        Distance of each to the nearest unusable area, pixels
        (`core.usable_area.permitting.distance_of`): negative on it, minus infinity
        where nothing was recorded, infinity where there is none or nothing is known.
        None: infinity for all.
    vote_of : tuple of str
        The picker with which each picker's votes are counted, k, its own name where
        they count by themselves (`core.consensus.dependence`). Empty if all do.
    """

    micrographs: tuple[str, ...]
    pickers: tuple[str, ...]
    observed: BoolArray
    micrograph_index: IntArray
    yx: FloatArray
    found: BoolArray
    picker_scores: FloatArray
    agreement: IntArray
    agreed_yx: FloatArray
    bad_micrographs: tuple[str, ...] = ()
    area_distance_px: FloatArray = None  # type: ignore[assignment]
    vote_of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill in unknown distances, and check the shapes once, at the door."""
        if self.area_distance_px is None:
            object.__setattr__(self, "area_distance_px", np.full(len(self.yx), np.inf))
        n, k, m = len(self.yx), len(self.pickers), len(self.micrographs)
        expected = {
            "observed": (m, k),
            "micrograph_index": (n,),
            "yx": (n, 2),
            "found": (n, k),
            "picker_scores": (n, k),
            "agreement": (n,),
            "agreed_yx": (n, 2),
            "area_distance_px": (n,),
        }
        for name, shape in expected.items():
            received = getattr(self, name).shape
            if received != shape:
                raise ValueError(f"{name}: expected shape {shape}, received {received}")

    @classmethod
    def empty(cls, pickers: tuple[str, ...]) -> Candidates:
        """Return a table of these pickers without micrographs or candidates."""
        k = len(pickers)
        return cls(
            micrographs=(),
            pickers=pickers,
            observed=np.empty((0, k), dtype=bool),
            micrograph_index=np.empty(0, dtype=np.intp),
            yx=np.empty((0, 2)),
            found=np.empty((0, k), dtype=bool),
            picker_scores=np.empty((0, k)),
            agreement=np.empty(0, dtype=np.int64),
            agreed_yx=np.empty((0, 2)),
        )

    @classmethod
    def of_one(cls, picks: PickerPicks) -> Candidates:
        """Return the picks of one picker, every one a candidate, in their order."""
        names = tuple(sorted(picks.coordinates))
        own = [picks.coordinates[name] for name in names]
        n_picks = [len(each) for each in own]
        yx = np.concatenate([np.empty((0, 2)), *(each.yx for each in own)])
        scores = np.concatenate([np.empty(0), *(each.scores for each in own)])
        n = len(yx)
        return cls(
            micrographs=names,
            pickers=(picks.picker,),
            observed=np.ones((len(names), 1), dtype=bool),
            micrograph_index=np.repeat(np.arange(len(names)), n_picks),
            yx=yx,
            found=np.ones((n, 1), dtype=bool),
            picker_scores=scores[:, None],
            agreement=np.ones(n, dtype=np.int64),
            agreed_yx=yx,
        )

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.yx)

    @property
    def voters(self) -> dict[str, list[int]]:
        """Columns of the pickers whose votes are counted as one, by the first's name.

        Pickers that found nothing are left out.
        """
        groups: dict[str, list[int]] = {}
        has_found = self.found.any(axis=0).tolist()
        for column, name in enumerate(self.vote_of or self.pickers):
            if has_found[column]:
                groups.setdefault(name, []).append(column)
        return groups

    @property
    def votes(self) -> IntArray:
        """Number of pickers that proposed each candidate, shape (n,)."""
        return np.asarray(self.found.sum(axis=1))

    @property
    def n_observers(self) -> IntArray:
        """Number of pickers that were run on a candidate's micrograph, shape (n,)."""
        return np.asarray(self.observed.sum(axis=1)[self.micrograph_index])

    @property
    def can_be_judged(self) -> BoolArray:
        """Whether there is an image at each candidate, shape (n,).

        There is none on a bad micrograph, in padding and where there is no signal.
        """
        is_recorded = self.area_distance_px > -np.inf
        return np.asarray(is_recorded & ~self.are_on(frozenset(self.bad_micrographs)))

    def are_on(self, names: Container[str]) -> BoolArray:
        """Return which candidates lie on one of these micrographs, shape (n,)."""
        chosen = np.array([name in names for name in self.micrographs], dtype=bool)
        return np.asarray(chosen[self.micrograph_index])

    def take(self, selection: ArrayLike) -> Candidates:
        """Return the candidates at `selection` (ascending indices or a mask)."""
        chosen = np.asarray(selection)
        return replace(self, **{c: getattr(self, c)[chosen] for c in _COLUMNS})

    def followed_by(self, parts: Sequence[Candidates]) -> Candidates:
        """Return these rows and those of `parts`, whose pickers must be the same."""
        tables = (self, *parts)
        columns = {c: np.concatenate([getattr(t, c) for t in tables]) for c in _COLUMNS}
        return replace(self, **columns)

    def on_micrograph(self, name: str) -> Candidates:
        """Return the candidates of one micrograph."""
        first, last = np.searchsorted(
            self.micrograph_index, self._row_of_micrograph[name] + np.array([0, 1])
        )
        return self.take(np.arange(first, last))

    @cached_property
    def _row_of_micrograph(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.micrographs)}

    def is_agreed(self, min_pickers: int) -> BoolArray:
        """Return which candidates at least `min_pickers` agree on, shape (n,).

        Where fewer than `min_pickers` were run, all of those must agree, and never
        fewer than two (unless there is one picker in all). On a bad micrograph, and
        on unusable area, nothing is agreed.
        """
        fewest = min(2, len(self.pickers))
        needed = np.maximum(np.minimum(min_pickers, self.n_observers), fewest)
        is_usable = self.can_be_judged & (self.area_distance_px >= 0)
        return np.asarray((self.agreement >= needed) & is_usable)

    def agreed(self, min_pickers: int) -> dict[str, ScoredCoordinates]:
        """Return the particles that are agreed (`is_agreed`), by micrograph.

        The position is the mean over the agreeing picks (the paper's AND set), the
        score the number of them.
        """
        return self._by_micrograph(
            self.is_agreed(min_pickers), self.agreed_yx, self.agreement
        )

    def coordinates(self, *, scale: float = 1.0) -> dict[str, ScoredCoordinates]:
        """Return all candidates by micrograph; the score is the number of votes.

        `scale` is the number of pixels to give per pixel of the table.
        """
        return self._by_micrograph(slice(None), self.yx * scale, self.votes)

    def by_micrograph(self, values: FloatArray) -> dict[str, ScoredCoordinates]:
        """Return all candidates of every micrograph, with `values` as their scores.

        Parameters
        ----------
        values : array, shape (n,)
            Any number of each candidate; NaN where there is none.
        """
        return self._by_micrograph(slice(None), self.yx, values)

    def _by_micrograph(
        self, chosen: BoolArray | slice, yx: FloatArray, scores: FloatArray | IntArray
    ) -> dict[str, ScoredCoordinates]:
        rows = rows_of_groups(self.micrograph_index[chosen], len(self.micrographs))
        positions, values = yx[chosen], scores[chosen]
        return {
            name: ScoredCoordinates.from_arrays(positions[here], values[here])
            for name, here in zip(self.micrographs, rows, strict=True)
        }

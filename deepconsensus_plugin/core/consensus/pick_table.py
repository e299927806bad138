# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks of several pickers as columns, the form in which the consensus reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deepconsensus_plugin.core.types import (
    FloatArray,
    IntArray,
    PickerPicks,
    ScoredCoordinates,
)

_BLOCK_PICKS = 100_000
"""Picks that are worth a block: few blocks, each small enough for the cache."""


@dataclass(frozen=True, eq=False)
class PickTable:
    """One row per pick, by micrograph, y, x and picker; n rows.

    Parameters
    ----------
    micrograph, picker : arrays, shape (n,), int
        Indices into the sorted names of either.
    yx : array, shape (n, 2), float64
        Centres, pixels.
    scores : array, shape (n,), float64
        The pickers' own; NaN where there is none.
    """

    micrograph: IntArray
    picker: IntArray
    yx: FloatArray
    scores: FloatArray

    def __len__(self) -> int:
        """Return the number of picks."""
        return len(self.scores)

    def take(self, selection: ArrayLike) -> PickTable:
        """Return the picks at `selection` (indices or a boolean mask)."""
        chosen = np.asarray(selection)
        return PickTable(
            self.micrograph[chosen],
            self.picker[chosen],
            self.yx[chosen],
            self.scores[chosen],
        )


def blocks_of_picks(
    pickers: Sequence[PickerPicks], micrographs: Sequence[str]
) -> Iterator[PickTable]:
    """Yield the picks of some whole micrographs at a time, in their order.

    The blocks bound the memory of what follows; equal picks of one picker keep no
    particular order, since they differ in nothing but the score.
    """
    parts: list[PickTable] = []
    size = 0
    for index, name in enumerate(micrographs):
        picks = _picks_of(index, [p.coordinates.get(name) for p in pickers])
        parts.append(picks)
        size += len(picks)
        if size >= _BLOCK_PICKS:
            yield _concatenated(parts)
            parts, size = [], 0
    if size:
        yield _concatenated(parts)


def _picks_of(index: int, found: Sequence[ScoredCoordinates | None]) -> PickTable:
    seen = [(column, picks) for column, picks in enumerate(found) if picks is not None]
    picker = np.repeat([c for c, _ in seen], [len(picks) for _, picks in seen])
    yx = np.concatenate([picks.yx for _, picks in seen])
    scores = np.concatenate([picks.scores for _, picks in seen])
    order = np.lexsort((picker, yx[:, 1], yx[:, 0]))
    where = np.full(len(order), index)
    return PickTable(where, picker[order], yx[order], scores[order])


def _concatenated(parts: Sequence[PickTable]) -> PickTable:
    return PickTable(
        micrograph=np.concatenate([part.micrograph for part in parts]),
        picker=np.concatenate([part.picker for part in parts]),
        yx=np.concatenate([part.yx for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
    )

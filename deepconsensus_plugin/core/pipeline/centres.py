# SPDX-License-Identifier: GPL-3.0-or-later
"""Table of centres of several kinds on several micrographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from deepconsensus_plugin.core.extraction import round_centres
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    Micrograph,
    ScoredCoordinates,
)


@dataclass(frozen=True, eq=False)
class Centres:
    """Table of n centres on several micrographs.

    Parameters
    ----------
    micrograph : array, shape (n,), int
        Index of the micrograph.
    yx : array, shape (n, 2)
        Centres, pixels.
    kind : array, shape (n,), int
        Kind of each centre.
    """

    micrograph: IntArray
    yx: FloatArray
    kind: IntArray

    @classmethod
    def of(
        cls,
        coordinates: Mapping[str, ScoredCoordinates],
        micrographs: Sequence[Micrograph],
        kind: Enum,
    ) -> Centres:
        """Return the centres of one kind; a micrograph may have none."""
        nothing = ScoredCoordinates.from_arrays([])
        sets = [coordinates.get(m.name, nothing).yx for m in micrographs]
        micrograph = np.repeat(np.arange(len(sets)), [len(yx) for yx in sets])
        yx = np.concatenate([np.empty((0, 2)), *sets])
        return cls(micrograph, yx, np.full(len(yx), kind.value))

    @classmethod
    def joined(cls, parts: Sequence[Centres]) -> Centres:
        """Return one table with all rows of `parts`."""
        none = np.empty(0, dtype=np.int64)
        return cls(
            np.concatenate([none, *(part.micrograph for part in parts)]),
            np.concatenate([np.empty((0, 2)), *(part.yx for part in parts)]),
            np.concatenate([none, *(part.kind for part in parts)]),
        )

    def take(self, selection: IntArray | BoolArray) -> Centres:
        """Return the rows at `selection` (indices or a boolean mask)."""
        return Centres(
            self.micrograph[selection], self.yx[selection], self.kind[selection]
        )

    def are_inside(self, micrographs: Sequence[Micrograph], box_size: int) -> BoolArray:
        """Return which boxes lie entirely on their micrograph, shape (n,)."""
        shapes = np.array([m.shape for m in micrographs]).reshape(-1, 2)
        corners = round_centres(self.yx) - box_size // 2
        inside = (corners >= 0) & (corners + box_size <= shapes[self.micrograph])
        return np.asarray(inside.all(axis=1))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.kind)

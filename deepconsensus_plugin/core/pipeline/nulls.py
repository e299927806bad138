# SPDX-License-Identifier: GPL-3.0-or-later
"""Nulls of a few micrographs of a set, and the comparison with what is on them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.null_control.comparison import (
    NullComparison,
    compare_with_null,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

N_NULLS = 4
"""Nulls of a set, on as many of its micrographs, spread evenly. A set of fewer
micrographs has several nulls of each."""

_SEED = 0


@dataclass(frozen=True)
class Null:
    """Null of a micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        Micrograph whose phases are randomised.
    number : int
        Number of the null among those of the same micrograph.
    """

    micrograph: Micrograph
    number: int

    @property
    def seed(self) -> tuple[int, int, int]:
        """Seed of the phases: that of the name and the number."""
        return _SEED, zlib.crc32(self.micrograph.name.encode()), self.number

    def rng(self) -> np.random.Generator:
        """Return the source of the phases."""
        return np.random.default_rng(self.seed)


def choose_nulls(
    micrographs: Sequence[Micrograph], found: Mapping[str, ScoredCoordinates]
) -> list[Null]:
    """Return the nulls of a set: of micrographs, spread evenly, on which anything is.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Those that were picked.
    found : mapping of micrograph name to ScoredCoordinates
        All peaks.
    """
    some = [each for each in micrographs if len(found[each.name])]
    chosen = np.linspace(0, len(some) - 1, min(len(some), N_NULLS)).round()
    n_each = N_NULLS // max(1, len(chosen))
    return [
        Null(some[index], number)
        for index in chosen.astype(int).tolist()
        for number in range(n_each)
    ]


def compare_peaks(
    scorer: str,
    nulls: Sequence[Null],
    real: Mapping[str, ScoredCoordinates],
    found: Iterable[ScoredCoordinates],
) -> NullComparison | None:
    """Return the comparison of peaks with those of nulls; None without nulls.

    Parameters
    ----------
    scorer : str
        Name of the picker or network.
    nulls : sequence of Null
        From `choose_nulls`.
    real : mapping of micrograph name to ScoredCoordinates
        All peaks of their micrographs.
    found : iterable of ScoredCoordinates
        All peaks of each null.
    """
    if not nulls:
        return None
    names = dict.fromkeys(null.micrograph.name for null in nulls)
    return compare_with_null(
        scorer,
        [real[name].scores for name in names],
        [each.scores for each in found],
        rng=np.random.default_rng(_SEED),
    )

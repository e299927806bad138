# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of the table of candidates to a Scipion set of coordinates."""

from __future__ import annotations

from pwem.objects import SetOfCoordinates, SetOfMicrographs

from deepconsensus_plugin.constants import LIST_SEPARATOR
from deepconsensus_plugin.convert.item_rows import ItemRows
from deepconsensus_plugin.convert.items import (
    placed_rows,
)
from deepconsensus_plugin.convert.provenance import (
    described_rows,
)
from deepconsensus_plugin.convert.rows import append_rows, next_id
from deepconsensus_plugin.core.candidates import Candidates


def append_candidates(
    coords_set: SetOfCoordinates,
    micrographs: SetOfMicrographs,
    candidates: Candidates,
    *,
    at_agreed_centre: bool = False,
) -> None:
    """Append candidates to a set on `micrographs`, in their order, with provenance.

    Parameters
    ----------
    coords_set : SetOfCoordinates
        An output that is being made.
    micrographs : SetOfMicrographs
        Hold all micrographs of the candidates.
    candidates : Candidates
        Names of pickers must not hold ``;``.
    at_agreed_centre : bool
        Place them on the mean of the agreeing picks (AND), not of all picks (OR).

    Raises
    ------
    ValueError
        If a picker's name holds ``;``, or a micrograph is not there.
    """
    rows = candidate_rows(
        *(micrographs, candidates, next_id(coords_set)),
        at_agreed_centre=at_agreed_centre,
    )
    append_rows(coords_set, rows)


def candidate_rows(
    micrographs: SetOfMicrographs,
    candidates: Candidates,
    first_id: int,
    *,
    at_agreed_centre: bool = False,
) -> ItemRows:
    """Return what `append_candidates` appends; ids count from `first_id`."""
    for picker in candidates.pickers:
        if LIST_SEPARATOR in picker:
            raise ValueError(f"expected no '{LIST_SEPARATOR}' in the name '{picker}'")
    yx = candidates.agreed_yx if at_agreed_centre else candidates.yx
    placed = placed_rows(
        *(micrographs, candidates.micrographs, candidates.micrograph_index, yx),
        first_id=first_id,
    )
    return described_rows(placed, candidates)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of candidates as a set of Scipion's coordinates, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfMicrographs

from deepconsensus_plugin.constants import LIST_SEPARATOR
from deepconsensus_plugin.convert.coordinates import (
    ids_by_name,
    new_items,
    own_micrographs,
)
from deepconsensus_plugin.convert.observed import Observed, read_observed
from deepconsensus_plugin.convert.provenance import (
    Provenance,
    describe_item,
    read_item,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import IntArray

UNKNOWN_PICKER = "unknown"
"""Who found the coordinates of a set that does not say."""

_Row = tuple[str, Provenance]
"""Name of the micrograph, and the rest."""


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
    for picker in candidates.pickers:
        if LIST_SEPARATOR in picker:
            raise ValueError(f"expected no '{LIST_SEPARATOR}' in the name '{picker}'")
    ids = ids_by_name(micrographs)
    for name in candidates.micrographs:
        table = candidates.on_micrograph(name)
        yx = table.agreed_yx if at_agreed_centre else table.yx
        for row, item in enumerate(new_items(name, ids, yx)):
            describe_item(item, table, row)
            coords_set.append(item)


def candidates_from_set(coordinates: SetOfCoordinates) -> Candidates:
    """Return the candidates of a set, in pixels of its own micrographs.

    Parameters
    ----------
    coordinates : SetOfCoordinates
        An OR set or any part of one, scored or not. Another set works too: its items
        are candidates of one picker, named ``unknown`` unless the set knows it.

    Returns
    -------
    Candidates
        On all micrographs of the set, sorted by name; the items of a micrograph keep
        their order. Where the set does not say who looked where, a micrograph was
        observed by whom its items name; in foreign sets, all were observed.

    Raises
    ------
    ValueError
        If the set has lost its micrographs.
    """
    return candidates_and_items(coordinates)[0]


def candidates_and_items(
    coordinates: SetOfCoordinates,
) -> tuple[Candidates, IntArray]:
    """Return the candidates and, for each, which item of the set it is.

    Returns
    -------
    Candidates
        As `candidates_from_set`.
    array, shape (n,), int
        Position of the item in the order of ids, from 0.
    """
    ids = ids_by_name(own_micrographs(coordinates))
    kept = read_observed(coordinates)
    rows = _read_rows(coordinates, {key: name for name, key in ids.items()}, kept)
    micrographs = tuple(sorted({*ids, *(name for name, _ in rows)}))
    observers = _observers(rows, micrographs, kept)
    place = {name: index for index, name in enumerate(micrographs)}
    index = np.array([place[name] for name, _ in rows], dtype=np.intp)
    order = np.argsort(index, kind="stable")
    known = set(kept.pickers) if kept else set()
    pickers = tuple(sorted(known.union(*observers.values())))
    observed = [[name in observers[m] for name in pickers] for m in micrographs]
    table = _table([rows[i][1] for i in order], pickers, index[order])
    return Candidates(
        micrographs=micrographs,
        pickers=pickers,
        observed=np.array(observed, dtype=bool).reshape(-1, len(pickers)),
        **table,
    ), order


def _read_rows(
    coordinates: SetOfCoordinates, names: Mapping[int, str], kept: Observed | None
) -> list[_Row]:
    picker = kept.pickers[0] if kept and len(kept.pickers) == 1 else UNKNOWN_PICKER
    return [
        (item.getMicName() or names[item.getMicId()], read_item(item, picker=picker))
        for item in coordinates.iterItems()
    ]


def _observers(
    rows: Sequence[_Row], micrographs: Sequence[str], kept: Observed | None
) -> dict[str, set[str]]:
    """Return the pickers that were run on each micrograph."""
    observers: dict[str, set[str]] = {name: set() for name in micrographs}
    if kept is not None:
        for name in micrographs:
            observers[name].update(kept.observed.get(name, ()))
    for name, row in rows:
        observers[name].update(row.observers)
    if kept is None and set().union(*observers.values()) <= {UNKNOWN_PICKER}:
        return {name: {UNKNOWN_PICKER} for name in micrographs}  # a foreign set
    return observers


def _table(
    rows: Sequence[Provenance], pickers: Sequence[str], index: IntArray
) -> dict[str, np.ndarray]:
    """Return the fields of `Candidates` that have one row per candidate."""
    column = {name: number for number, name in enumerate(pickers)}
    scores = np.full((len(rows), len(pickers)), np.nan)
    found = np.zeros(scores.shape, dtype=bool)
    for number, row in enumerate(rows):
        for name, score in row.scores.items():
            found[number, column[name]] = True
            scores[number, column[name]] = score
    positions = np.array([(row.yx, row.agreed_yx) for row in rows], dtype=float)
    yx, agreed_yx = positions.reshape(-1, 2, 2).transpose(1, 0, 2)
    return {
        "micrograph_index": index,
        "yx": yx,
        "found": found,
        "picker_scores": scores,
        "agreement": np.array([row.agreement for row in rows], dtype=np.int64),
        "agreed_yx": agreed_yx,
    }

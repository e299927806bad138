# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of the table of candidates to a Scipion set of coordinates, and back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from pwem.objects import Coordinate, SetOfCoordinates, SetOfMicrographs

from deepconsensus_plugin.constants import LIST_SEPARATOR, OBSERVED_ATTRIBUTE
from deepconsensus_plugin.convert.coordinates import MicrographMatch
from deepconsensus_plugin.convert.items import (
    ItemTable,
    fill_items,
    ids_by_name,
    own_micrographs,
    read_items,
)
from deepconsensus_plugin.convert.observed import PickerCoverage, read_observed
from deepconsensus_plugin.convert.provenance import (
    PROVENANCE_ATTRIBUTES,
    describe_item,
    read_agreement,
    read_area_distance,
    read_finders,
    read_votes,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import IntArray

logger = logging.getLogger(__name__)

UNKNOWN_PICKER = "unknown"
"""Picker of the coordinates in a set without provenance."""


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
    for item in candidate_items(
        micrographs, candidates, at_agreed_centre=at_agreed_centre
    ):
        coords_set.append(item)


def candidate_items(
    micrographs: SetOfMicrographs,
    candidates: Candidates,
    *,
    at_agreed_centre: bool = False,
) -> Iterator[Coordinate]:
    """Yield what `append_candidates` appends: one object, which has no id."""
    for picker in candidates.pickers:
        if LIST_SEPARATOR in picker:
            raise ValueError(f"expected no '{LIST_SEPARATOR}' in the name '{picker}'")
    ids, item = ids_by_name(micrographs), Coordinate()
    for name in candidates.micrographs:
        table = candidates.on_micrograph(name)
        yx = table.agreed_yx if at_agreed_centre else table.yx
        for row, _ in enumerate(fill_items(item, name, ids, yx)):
            describe_item(item, table, row)
            yield item


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
        their order, and those that lie on none of its micrographs are left out, with a
        warning in the log. Where the set does not say who looked where, a micrograph
        was observed by whom its items name; in foreign sets, all were observed.

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
    own_ids = ids_by_name(own_micrographs(coordinates))
    items = read_items(coordinates, *PROVENANCE_ATTRIBUTES)
    places, positions = _places(items, own_ids)
    items = items.take(positions)
    kept = read_observed(coordinates)
    single = kept.pickers[0] if kept and len(kept.pickers) == 1 else UNKNOWN_PICKER
    finders = read_finders(items, unknown=single)
    micrographs = tuple(sorted(own_ids))
    looked = [*zip(places, finders, strict=True)]
    looked += zip(places, items.texts(OBSERVED_ATTRIBUTE), strict=True)
    observers = _observers(set(looked), micrographs, kept)
    index = np.searchsorted(micrographs, places).astype(np.intp)
    order = np.argsort(index, kind="stable")
    table = _table(items, finders, index, observers, kept)
    return table.take(order), positions[order]


def _places(items: ItemTable, own_ids: Mapping[str, int]) -> tuple[list[str], IntArray]:
    """Return the micrographs of the items that lie on one of the set's, and which do.

    As everywhere (`MicrographMatch.name_of`): by the name, or else by the id.
    """
    by_id = {own_id: name for name, own_id in own_ids.items()}
    match = MicrographMatch({name: name for name in own_ids}, by_id, 1.0)
    pairs = zip(items.names, items.ids, strict=True)
    found = [match.name_of(name, own_id) for name, own_id in pairs]
    rows = [row for row, name in enumerate(found) if name is not None]
    if len(rows) < len(found):
        logger.warning(
            "%d candidates are left out: they lie on none of the set's %d micrographs",
            len(found) - len(rows),
            len(own_ids),
        )
    return list(filter(None, found)), np.array(rows, dtype=np.intp)


def _table(
    items: ItemTable,
    finders: list[str],
    index: IntArray,
    observers: Mapping[str, set[str]],
    kept: PickerCoverage | None,
) -> Candidates:
    """Return the candidates in the order of the items."""
    known = kept.pickers if kept else ()
    pickers = tuple(sorted({*known, *chain.from_iterable(observers.values())}))
    observed = [[name in here for name in pickers] for here in observers.values()]
    found, scores = read_votes(items, finders, pickers)
    agreement, agreed_yx = read_agreement(items, found.sum(axis=1))
    return Candidates(
        micrographs=tuple(observers),
        pickers=pickers,
        observed=np.array(observed, dtype=bool).reshape(-1, len(pickers)),
        micrograph_index=index,
        yx=items.yx,
        found=found,
        picker_scores=scores,
        agreement=agreement,
        agreed_yx=agreed_yx,
        bad_micrographs=tuple(kept.bad_micrographs) if kept else (),
        area_distance_px=read_area_distance(items),
        vote_of=tuple(kept.vote_of.get(each, each) for each in pickers) if kept else (),
    )


def _observers(
    looked: Iterable[tuple[str, str]],
    micrographs: Sequence[str],
    kept: PickerCoverage | None,
) -> dict[str, set[str]]:
    """Return the pickers that were run on each of `micrographs`, in their order.

    `looked` are pairs of a micrograph and joined names, from the items.
    """
    known = {} if kept is None else kept.observed
    observers = {name: set(known.get(name, ())) for name in micrographs}
    for name, joined in looked:
        observers[name].update(filter(None, joined.split(LIST_SEPARATOR)))
    if kept is None and set().union(*observers.values()) <= {UNKNOWN_PICKER}:
        return {name: {UNKNOWN_PICKER} for name in micrographs}  # a foreign set
    return observers

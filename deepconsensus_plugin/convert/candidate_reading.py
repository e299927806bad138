# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of a Scipion set of coordinates to the table of candidates.

Items are read some thousand at a time, so that what is held for each is its row.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pwem.objects import SetOfCoordinates

from deepconsensus_plugin.constants import LIST_SEPARATOR, OBSERVED_ATTRIBUTE
from deepconsensus_plugin.convert.coordinates import MicrographMatch
from deepconsensus_plugin.convert.items import (
    ItemTable,
    ids_by_name,
    item_blocks,
    own_micrographs,
)
from deepconsensus_plugin.convert.observed import PickerCoverage, read_observed
from deepconsensus_plugin.convert.provenance import (
    PROVENANCE_ATTRIBUTES,
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
    kept = read_observed(coordinates)
    single = kept.pickers[0] if kept and len(kept.pickers) == 1 else UNKNOWN_PICKER
    parts = _Parts(own_ids, unknown=single)
    for block in item_blocks(coordinates, *PROVENANCE_ATTRIBUTES):
        parts.add(block)
    parts.warn_of_left_out()
    return parts.join(kept)


class _Parts:
    """Candidates of a set, as far as they were read.

    Parameters
    ----------
    own_ids : mapping of str to int
        Ids of the micrographs, by name.
    unknown : str
        Picker of items that name none.
    """

    def __init__(self, own_ids: Mapping[str, int], *, unknown: str):
        by_id = {own_id: name for name, own_id in own_ids.items()}
        # As everywhere: by the name, or else by the id.
        self._match = MicrographMatch({name: name for name in own_ids}, by_id, 1.0)
        self._micrographs = tuple(sorted(own_ids))
        self._numbers = {name: n for n, name in enumerate(self._micrographs)}
        self._unknown = unknown
        self._pickers: dict[str, int] = {}
        self._looked: set[tuple[int, str]] = set()
        self._columns: dict[str, list[NDArray[Any]]] = defaultdict(list)
        self._n_items = 0

    def add(self, items: ItemTable) -> None:
        """Add items that follow those that are known."""
        found = [self._match.name_of(*place) for place in items.places]
        number_of = np.array([self._numbers.get(name, -1) for name in found], np.intp)
        index = number_of[items.place]
        rows = np.flatnonzero(index >= 0)
        finders = read_finders(items, unknown=self._unknown)
        for texts in (finders, items.texts(OBSERVED_ATTRIBUTE)):
            self._looked |= {*zip(index.tolist(), texts, strict=True)}
        for finder in chain.from_iterable(map(_split, {*finders})):
            self._pickers.setdefault(finder, len(self._pickers))
        votes, scores = read_votes(items, finders, tuple(self._pickers))
        agreement, agreed_yx = read_agreement(items, votes.sum(axis=1))
        for name, values in {
            "found": votes,
            "picker_scores": scores,
            "micrograph_index": index,
            "yx": items.yx,
            "agreement": agreement,
            "agreed_yx": agreed_yx,
            "area_distance_px": read_area_distance(items),
        }.items():
            self._columns[name].append(values[rows])
        self._columns["positions"].append(self._n_items + rows)
        self._n_items += len(items)

    def warn_of_left_out(self) -> None:
        """Say in the log how many items lie on none of the micrographs."""
        n_left_out = self._n_items - sum(map(len, self._columns["positions"]))
        if n_left_out:
            logger.warning(
                "%d candidates are left out: they lie on none of the set's %d "
                "micrographs",
                *(n_left_out, len(self._micrographs)),
            )

    def join(self, kept: PickerCoverage | None) -> tuple[Candidates, IntArray]:
        """Return the candidates, and which items they are."""
        looked = ((self._micrographs[n], each) for n, each in self._looked if n >= 0)
        observers = _observers(looked, self._micrographs, kept)
        known = kept.pickers if kept else ()
        pickers = tuple(sorted({*known, *chain.from_iterable(observers.values())}))
        observed = [[name in here for name in pickers] for here in observers.values()]
        none = Candidates.empty(pickers)
        for name in ("found", "picker_scores"):
            parts = self._columns[name]
            parts[:] = [self._in_order_of(pickers, part) for part in parts]
        columns = {
            name: np.concatenate([getattr(none, name), *self._columns.pop(name)])
            for name in {*self._columns} - {"positions"}
        }
        positions = np.concatenate(
            [np.empty(0, dtype=np.intp), *self._columns["positions"]]
        )
        votes = tuple(kept.vote_of.get(each, each) for each in pickers) if kept else ()
        table = replace(
            none,
            micrographs=self._micrographs,
            observed=np.array(observed, dtype=bool).reshape(-1, len(pickers)),
            bad_micrographs=tuple(kept.bad_micrographs) if kept else (),
            vote_of=votes,
            **columns,
        )
        if (np.diff(table.micrograph_index) >= 0).all():
            return table, positions
        order = np.argsort(table.micrograph_index, kind="stable")
        return table.take(order), positions[order]

    def _in_order_of(self, pickers: Sequence[str], part: NDArray[Any]) -> NDArray[Any]:
        """Return votes or scores with a column for each of `pickers`."""
        nothing = False if part.dtype == bool else np.nan
        ordered = np.full((len(part), len(pickers)), nothing, dtype=part.dtype)
        for column, name in enumerate(pickers):
            own = self._pickers.get(name, part.shape[1])
            if own < part.shape[1]:
                ordered[:, column] = part[:, own]
        return ordered


def _split(finders: str) -> list[str]:
    return finders.split(LIST_SEPARATOR)


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

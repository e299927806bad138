# SPDX-License-Identifier: GPL-3.0-or-later
"""Provenance of candidates (found, observed, agreed) as attributes of items."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray
from pyworkflow.object import Float, Integer, String

from deepconsensus_plugin.constants import (
    AGREED_X_ATTRIBUTE,
    AGREED_Y_ATTRIBUTE,
    AGREEMENT_ATTRIBUTE,
    AREA_DISTANCE_ATTRIBUTE,
    LIST_SEPARATOR,
    OBSERVED_ATTRIBUTE,
    PICKER_SCORES_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.convert.coordinates import PICKER_SCORE_ATTRIBUTES
from deepconsensus_plugin.convert.item_rows import ItemRows, Texts
from deepconsensus_plugin.convert.items import ItemTable
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.io.text import format_numbers
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

PROVENANCE_ATTRIBUTES = (
    *(PICKERS_ATTRIBUTE, PICKER_SCORES_ATTRIBUTE, OBSERVED_ATTRIBUTE),
    *(AGREEMENT_ATTRIBUTE, AGREED_X_ATTRIBUTE, AGREED_Y_ATTRIBUTE),
    AREA_DISTANCE_ATTRIBUTE,
    *PICKER_SCORE_ATTRIBUTES,
)
"""Attributes that the reading functions need."""


def described_rows(rows: ItemRows, table: Candidates) -> ItemRows:
    """Return items, n, with the attributes of n candidates."""
    patterns, pattern = np.unique(table.found, axis=0, return_inverse=True)
    finders = _names_of(patterns, table.pickers)
    observers = _names_of(table.observed, table.pickers)
    agreed_y, agreed_x = table.agreed_yx.T
    for name, kind, values in (
        (VOTES_ATTRIBUTE, Integer, table.votes),
        (PICKERS_ATTRIBUTE, String, finders[pattern.ravel()]),
        (PICKER_SCORES_ATTRIBUTE, String, _picker_scores(table)),
        (OBSERVED_ATTRIBUTE, String, observers[table.micrograph_index]),
        (AGREEMENT_ATTRIBUTE, Integer, table.agreement),
        (AGREED_X_ATTRIBUTE, Float, agreed_x),
        (AGREED_Y_ATTRIBUTE, Float, agreed_y),
    ):
        rows = rows.with_attribute(name, kind, values)
    return with_area_distance(rows, table.area_distance_px)


def with_area_distance(rows: ItemRows, distance_px: FloatArray) -> ItemRows:
    """Return items with their distances to the unusable area; none for infinity."""
    known = np.where(distance_px == np.inf, np.nan, distance_px)
    return rows.with_attribute(AREA_DISTANCE_ATTRIBUTE, Float, known)


def _picker_scores(table: Candidates) -> Texts:
    """Return the scores that the finders of each candidate gave, joined."""

    def join(rows: IntArray) -> list[str | None]:
        found = table.found[rows].tolist()
        scores = map(format_numbers, table.picker_scores[rows].T.tolist())
        return [
            LIST_SEPARATOR.join(compress(own, here))
            for own, here in zip(zip(*scores, strict=True), found, strict=True)
        ]

    return Texts(join, np.arange(len(table)))


def _names_of(which: BoolArray, names: Sequence[str]) -> NDArray[np.object_]:
    """Return the joined names in every row of `which`."""
    joined = [LIST_SEPARATOR.join(compress(names, row)) for row in which.tolist()]
    return np.array(joined, dtype=object)


def read_area_distance(items: ItemTable) -> FloatArray:
    """Return the distance of each item to the unusable area, shape (n,), pixels.

    Infinity where it is not known, or everything is usable.
    """
    distance = items.numbers(AREA_DISTANCE_ATTRIBUTE)
    return np.where(np.isnan(distance), np.inf, distance)


def read_finders(items: ItemTable, *, unknown: str) -> list[str]:
    """Return the joined names of who found each item; `unknown` where not recorded.

    There are few different ones among many items.
    """
    return [finders or unknown for finders in items.texts(PICKERS_ATTRIBUTE)]


def read_votes(
    items: ItemTable, finders: list[str], pickers: tuple[str, ...]
) -> tuple[BoolArray, FloatArray]:
    """Return who found each item, and the scores they gave, shape (n, k) both."""
    column = {name: number for number, name in enumerate(pickers)}
    groups = {text: number for number, text in enumerate(dict.fromkeys(finders))}
    group = np.array([groups[text] for text in finders], dtype=np.intp)
    found = np.zeros((len(items), len(pickers)), dtype=bool)
    scores = np.full(found.shape, np.nan)
    own = items.numbers(*PICKER_SCORE_ATTRIBUTES)
    known, fields = map(items.texts, (PICKERS_ATTRIBUTE, PICKER_SCORES_ATTRIBUTE))
    are_named = np.array([bool(text) for text in known], dtype=bool)
    for text, rows in zip(groups, rows_of_groups(group, len(groups)), strict=True):
        columns = [column[name] for name in text.split(LIST_SEPARATOR)]
        found[np.ix_(rows, columns)] = True
        others, named = rows[~are_named[rows]], rows[are_named[rows]]
        scores[np.ix_(others, columns)] = own[others, None]
        given = [fields[row] for row in named.tolist()]
        scores[np.ix_(named, columns)] = _parse_scores(given, len(columns))
    return found, scores


def _parse_scores(fields: list[str], n_columns: int) -> FloatArray:
    """Return the numbers of joined scores, shape (n, n_columns); NaN for none."""
    values = LIST_SEPARATOR.join(fields).split(LIST_SEPARATOR) if fields else []
    if len(values) == len(fields) * n_columns:
        numbers = [float(value) if value else np.nan for value in values]
        return np.array(numbers).reshape(-1, n_columns)
    scores = np.full((len(fields), n_columns), np.nan)  # of some there are none, or few
    for row, field in enumerate(fields):
        own = field.split(LIST_SEPARATOR)[:n_columns] if field else []
        scores[row, : len(own)] = [float(value) if value else np.nan for value in own]
    return scores


def read_agreement(items: ItemTable, votes: IntArray) -> tuple[IntArray, FloatArray]:
    """Return how many pickers agree on each item, and where, shapes (n,) and (n, 2).

    Where that is not recorded, all that found it do.
    """
    agreement = items.numbers(AGREEMENT_ATTRIBUTE)
    agreed_yx = np.stack(
        [items.numbers(name) for name in (AGREED_Y_ATTRIBUTE, AGREED_X_ATTRIBUTE)],
        axis=1,
    )
    return (
        np.where(np.isnan(agreement), votes, agreement).astype(np.int64),
        np.where(np.isnan(agreed_yx), items.yx, agreed_yx),
    )

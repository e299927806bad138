# SPDX-License-Identifier: GPL-3.0-or-later
"""Provenance of candidates (found, observed, agreed) as attributes of items."""

from __future__ import annotations

import math
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
from deepconsensus_plugin.core.io.text import format_number
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
        found, scores = table.found[rows].tolist(), table.picker_scores[rows].tolist()
        return [
            LIST_SEPARATOR.join(map(_format, compress(own, here)))
            for own, here in zip(scores, found, strict=True)
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


def _format(score: float) -> str:
    return "" if math.isnan(score) else format_number(score)


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
    columns = {
        text: [column[name] for name in text.split(LIST_SEPARATOR)]
        for text in set(finders)
    }
    found = np.zeros((len(items), len(pickers)), dtype=bool)
    scores = np.full(found.shape, np.nan)
    own = items.numbers(*PICKER_SCORE_ATTRIBUTES).tolist()
    known, fields = map(items.texts, (PICKERS_ATTRIBUTE, PICKER_SCORES_ATTRIBUTE))
    for row, text in enumerate(finders):
        found[row, columns[text]] = True
        if not known[row]:
            scores[row, columns[text]] = own[row]
        elif fields[row]:
            values = fields[row].split(LIST_SEPARATOR)
            for number, value in zip(columns[text], values, strict=False):
                scores[row, number] = float(value) if value else math.nan
    return found, scores


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

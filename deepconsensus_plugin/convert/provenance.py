# SPDX-License-Identifier: GPL-3.0-or-later
"""Provenance of candidates (found, observed, agreed) as attributes of items."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import compress

import numpy as np
from pwem.objects import Coordinate
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
from deepconsensus_plugin.convert.items import ItemTable, set_attribute
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


def describe_item(item: Coordinate, table: Candidates, row: int) -> None:
    """Set the attributes of an item from a row of candidates."""
    found = table.found[row].tolist()
    observed = table.observed[table.micrograph_index[row]].tolist()
    scores = compress(table.picker_scores[row].tolist(), found)
    agreed_y, agreed_x = table.agreed_yx[row].tolist()
    for name, kind, value in (
        (VOTES_ATTRIBUTE, Integer, sum(found)),
        (PICKERS_ATTRIBUTE, String, _join(compress(table.pickers, found))),
        (PICKER_SCORES_ATTRIBUTE, String, _join(map(_format, scores))),
        (OBSERVED_ATTRIBUTE, String, _join(compress(table.pickers, observed))),
        (AGREEMENT_ATTRIBUTE, Integer, int(table.agreement[row])),
        (AGREED_X_ATTRIBUTE, Float, agreed_x),
        (AGREED_Y_ATTRIBUTE, Float, agreed_y),
    ):
        set_attribute(item, name, kind, value)
    set_area_distance(item, table.area_distance_px[row])


def set_area_distance(item: Coordinate, distance_px: float) -> None:
    """Set the distance to the unusable area; no value for infinity."""
    known = None if distance_px == np.inf else float(distance_px)
    set_attribute(item, AREA_DISTANCE_ATTRIBUTE, Float, known)


def read_area_distance(items: ItemTable) -> FloatArray:
    """Return the distance of each item to the unusable area, shape (n,), pixels.

    Infinity where it is not known, or everything is usable.
    """
    distance = items.numbers(AREA_DISTANCE_ATTRIBUTE)
    return np.where(np.isnan(distance), np.inf, distance)


def _join(parts: Iterator[str]) -> str:
    return LIST_SEPARATOR.join(parts)


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

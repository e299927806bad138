# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of a Scipion set: attributes of all items, read straight from its file.

Iterating over 200 000 items builds an object for each and takes seconds; a column of
the set's SQLite file takes a tenth of one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from pyworkflow.object import Set

from deepconsensus_plugin.constants import (
    LOOKS_LIKE_ATTRIBUTE,
    NETWORK_SCORE_ATTRIBUTE,
    SCORE_ATTRIBUTE,
)
from deepconsensus_plugin.core.kinds import read_kinds
from deepconsensus_plugin.core.types import FloatArray, IntArray

_BLOCK = 20_000
"""Rows of a set that are Python's objects at the same time."""

_MOST_TEXTS = 10_000
"""Different texts of a column of which each is kept once."""


def read_blocks(items: Set, *attributes: str) -> Iterator[dict[str, list[Any]]]:
    """Yield attributes of the items, some thousand items at a time.

    Parameters
    ----------
    items, attributes
        As for `read_columns`.
    """
    if items.isEmpty():
        return
    with _opened(items) as database:
        columns = dict(
            database.execute("SELECT label_property, column_name FROM Classes")
        )
        present = [name for name in attributes if name in columns]
        chosen = ", ".join(["id", *(columns[name] for name in present)])
        # The names of columns come from the file itself.
        rows = database.execute(f"SELECT {chosen} FROM Objects ORDER BY id")
        while block := rows.fetchmany(_BLOCK):
            _, *values = map(list, zip(*block, strict=True))
            yield dict(zip(present, values, strict=True))


def read_columns(items: Set, *attributes: str) -> dict[str, list[Any]]:
    """Return attributes of all items; those that the items do not have are left out.

    Parameters
    ----------
    items : Set
        Written to its file; it is not opened for writing.
    attributes : str
        Their names, as ``_xmipp_zScoreDeepLearning1`` or ``_coordinate._x``.

    Returns
    -------
    dict of str to list
        Values in the order of the items' ids, as `Set.iterItems` goes; None where an
        item has no value. An empty set has no columns.
    """
    columns: dict[str, list[Any]] = {}
    known: dict[str, str] = {}
    for block in read_blocks(items, *attributes):
        for name, values in block.items():
            columns.setdefault(name, []).extend(shared_texts(values, known))
    return columns


def shared_texts(values: Sequence[Any], known: dict[str, str]) -> list[Any]:
    """Return values with equal texts as one object, as far as there are few.

    Parameters
    ----------
    values : sequence
        Texts, or anything else, which stays as it is.
    known : dict
        The texts so far; new ones are added.
    """
    return [
        value
        if type(value) is not str
        else known.get(value, value)
        if len(known) >= _MOST_TEXTS
        else known.setdefault(value, value)
        for value in values
    ]


def _opened(items: Set) -> closing[sqlite3.Connection]:
    path = Path(items.getFileName()).absolute()
    return closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True))


def read_numbers(items: Set, *attributes: str) -> FloatArray:
    """Return numeric attributes of all items.

    Parameters
    ----------
    items, attributes
        As for `read_columns`.

    Returns
    -------
    array, shape (n, len(attributes)), float64
        In the order of the items' ids; NaN where an item has no value.

    Raises
    ------
    KeyError
        If the items do not have one of the attributes.
    """
    parts = [np.empty((0, len(attributes)))]
    for block in read_blocks(items, *attributes):
        if missing := [name for name in attributes if name not in block]:
            raise KeyError(f"{items.getFileName()}: its items have no {missing[0]}")
        values = [block[name] for name in attributes]
        parts.append(np.array(values, dtype=np.float64).T)
    return np.concatenate(parts)


def read_scores(items: Set) -> FloatArray:
    """Return the score of every item, shape (n,), in the order of their ids.

    Raises
    ------
    KeyError
        If the items were never scored.
    """
    return read_numbers(items, SCORE_ATTRIBUTE)[:, 0]


def read_looks(items: Set) -> IntArray | None:
    """Return the codes of `Kind` of all items, shape (n,): what they look like.

    None where nothing tells, as where candidates were not averaged.

    Raises
    ------
    ValueError
        If a word names no kind.
    """
    columns = read_columns(items, LOOKS_LIKE_ATTRIBUTE)
    words = columns.get(LOOKS_LIKE_ATTRIBUTE)
    return None if words is None else read_kinds(words)


def read_ids(items: Set) -> list[int]:
    """Return the ids of all items, ascending, as `read_columns` goes."""
    return read_id_array(items).tolist()


def read_id_array(items: Set) -> IntArray:
    """Return the ids of all items, shape (n,), ascending."""
    with _opened(items) as database:
        rows = database.execute("SELECT id FROM Objects ORDER BY id")
        return np.fromiter((row[0] for row in rows), dtype=np.int64)


def are_fused(items: Set) -> bool:
    """Return whether the scores are probabilities, fused from more than the network.

    A score that nothing was combined with is the network's own, to the last digit.
    """
    names = SCORE_ATTRIBUTE, NETWORK_SCORE_ATTRIBUTE
    for block in read_blocks(items, *names):
        if columns_are_fused(block):
            return True
    return False


def columns_are_fused(columns: Mapping[str, list[Any]]) -> bool:
    """Return what `are_fused` does, of columns that were read."""
    both = SCORE_ATTRIBUTE in columns and NETWORK_SCORE_ATTRIBUTE in columns
    return both and columns[SCORE_ATTRIBUTE] != columns[NETWORK_SCORE_ATTRIBUTE]

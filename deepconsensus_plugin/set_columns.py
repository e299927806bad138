# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of all items of a Scipion set at once, read straight from its file.

Iterating over 200 000 items builds an object for each and takes seconds; a column of
the set's SQLite file takes a tenth of one.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
from pyworkflow.object import Set

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.core.types import FloatArray


def read_numbers(items: Set, *attributes: str) -> FloatArray:
    """Return numeric attributes of all items.

    Parameters
    ----------
    items : Set
        Written to its file; it is not opened for writing.
    attributes : str
        Their names, as ``_xmipp_zScoreDeepLearning1`` or ``_coordinate._x``.

    Returns
    -------
    array, shape (n, len(attributes)), float64
        In the order of the items' ids, as `Set.iterItems` goes; NaN where an item has
        no value.

    Raises
    ------
    KeyError
        If the items do not have one of the attributes.
    """
    path = Path(items.getFileName()).absolute()
    if items.isEmpty():
        return np.empty((0, len(attributes)))
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        columns = dict(
            database.execute("SELECT label_property, column_name FROM Classes")
        )
        missing = [name for name in attributes if name not in columns]
        if missing:
            raise KeyError(f"{path}: its items have no attribute {missing[0]}")
        chosen = ", ".join(columns[name] for name in attributes)
        # The names of columns come from the file itself.
        rows = database.execute(f"SELECT {chosen} FROM Objects ORDER BY id")
        return np.array(rows.fetchall(), dtype=np.float64)


def read_scores(items: Set) -> FloatArray:
    """Return the score of every item, shape (n,), in the order of their ids.

    Raises
    ------
    KeyError
        If the items were never scored.
    """
    return read_numbers(items, SCORE_ATTRIBUTE)[:, 0]

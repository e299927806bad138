# SPDX-License-Identifier: GPL-3.0-or-later
"""Large tables of all micrographs' picks, read some thousand lines at a time.

Only what is regular is read here: a header in the first line, and below it rows of as
many fields, without quotes, comments or missing values. Everything else is left to
`csv_table`, which says what is wrong and takes ten times the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice

import numpy as np

from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.spreadsheets import restored
from deepconsensus_plugin.core.io.text import is_plain
from deepconsensus_plugin.core.limits import FARTHEST_PX, LARGEST_SCORE
from deepconsensus_plugin.core.pick_files.table_columns import Columns, named_columns
from deepconsensus_plugin.core.pick_files.table_rows import is_header
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

_BLOCK = 20_000
_MARKS = (",", ";", "\t")
_IRREGULAR = ('"', "#", "\r")


class _IrregularError(ValueError):
    """A line is not as the others."""


def read_regular(text: str) -> dict[str, ScoredCoordinates] | None:
    """Return the picks of every micrograph; None where a table is not so regular.

    Parameters
    ----------
    text : str
        The whole table.
    """
    if any(mark in text for mark in _IRREGULAR):
        return None
    lines = StringIO(text)
    header = lines.readline()
    mark = next((mark for mark in _MARKS if mark in header), None)
    fields = [field.strip() for field in header.split(mark)] if mark else []
    columns = named_columns(fields) if fields and is_header(fields) else None
    if columns is None or columns.micrograph is None or not _is_simple(columns):
        return None
    names: list[str] = []
    parts = [np.empty((0, 3))]
    known: dict[str, str] = {}
    try:
        for rows in _blocks(lines, str(mark), len(fields)):
            own = [row[columns.micrograph].strip() for row in rows]
            names += [known.setdefault(name, name) for name in own]
            parts.append(_numbers(rows, columns))
    except ValueError:
        return None
    if not names or not all(known):
        return None
    table = np.concatenate(parts)
    restored_names = {name: restored(name) for name in known}
    return group_coordinates(
        [restored_names[name] for name in names], table[:, 1::-1], table[:, 2]
    )


def _is_simple(columns: Columns) -> bool:
    """Return whether there are neither boxes nor slices."""
    return (columns.size, columns.far_corner, columns.z) == (None, None, None)


def _blocks(lines: StringIO, mark: str, width: int) -> Iterator[list[list[str]]]:
    while block := list(islice(lines, _BLOCK)):
        rows = [line.rstrip("\n").split(mark) for line in block if line.strip()]
        if any(len(row) != width for row in rows):
            raise _IrregularError("a row of another width")
        yield rows


def _numbers(rows: Sequence[list[str]], columns: Columns) -> FloatArray:
    """Return x, y and score of each row, shape (n, 3)."""
    values = np.full((len(rows), 3), np.nan)
    for column, place in enumerate((columns.x, columns.y, columns.score)):
        if place is None:
            continue
        texts = [row[place] for row in rows]
        if not is_plain("".join(texts)):
            raise _IrregularError("a number that only Python reads")
        values[:, column] = [float(text) for text in texts]
    largest = np.array([FARTHEST_PX, FARTHEST_PX, LARGEST_SCORE])
    is_known = np.isfinite(values) | (np.arange(3) == 2) & np.isnan(values)
    if not (is_known & ~(np.abs(values) > largest)).all():
        raise _IrregularError("a number out of range")
    return values

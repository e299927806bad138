# SPDX-License-Identifier: GPL-3.0-or-later
"""CSV and kindred text tables: ``x,y[,score]``, with a header or without, box CENTRES.

Separated by commas, semicolons, tabs or blanks. With a header, columns go by name in
whatever order, CryoPPP's (``X-Coordinate``, ``Y-Coordinate``) and Topaz' (``x_coord``)
among them; a column of micrograph names makes it a merged table. A header is a first
row without a single number in it, or the comment right before it. Boxes, ``x,y,w,h`` or
``x1,y1,x2,y2``, are CORNERS; numbers of rows are left out (`table_columns`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.spreadsheets import defused, restored
from deepconsensus_plugin.core.io.text import (
    bad_row,
    format_number,
    parse_position,
    parse_score,
    read_text,
)
from deepconsensus_plugin.core.pick_files.codec import (
    NO_COORDINATES,
    FilePicks,
    PickCodec,
    Shape,
    refuse_characters,
)
from deepconsensus_plugin.core.pick_files.regular_table import read_regular
from deepconsensus_plugin.core.pick_files.table_columns import (
    Columns,
    named_columns,
    numbered_columns,
)
from deepconsensus_plugin.core.pick_files.table_rows import (
    Row,
    is_header,
    is_number,
    table_rows,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_XYZ = (".coords", ".coord")
_ROWS = (
    "numbers 'x,y' or 'x,y,score', or a header that names the columns, such as "
    "x,y,w,h or x1,y1,x2,y2,"
)
_NO_SCORE = (
    "WARNING: The third column was taken for z, not for a score: the file is of the "
    "kind x y z, or the column holds whole numbers only. If it is a score, begin the "
    "file with the line x,y,score."
)


def _recognise(head: bytes) -> bool:
    try:
        rows = table_rows(head.decode("utf-8-sig", errors="strict"))
    except (UnicodeDecodeError, csv.Error):
        return False
    header = _commented_header(rows)
    data = [row for row in rows if not row.is_comment]
    if not data:
        return False
    first = data[0].fields
    if is_header(first):
        return named_columns(first) is not None
    return header is not None or (
        len(first) in (2, 3) and all(is_number(field) for field in first)
    )


def read_table(path: Path) -> FilePicks:
    """Return what a text table holds.

    Raises
    ------
    FileFormatError
        If there are no columns x and y, or a row is bad; names the line.
    """
    text = read_text(path)
    if regular := read_regular(text):
        return FilePicks(dict(regular.items()))
    try:
        rows = table_rows(text)
    except csv.Error as error:
        parsed = "a text table that can be parsed"
        raise FileFormatError(path, expected=parsed, received=str(error)) from error
    columns, rows = _columns(path, rows)
    if not rows:
        return FilePicks({None: NO_COORDINATES})
    xy = np.array([_parse(path, row, columns) for row in rows], dtype=float)
    (yx, scores), box_size = (xy[:, 1::-1], xy[:, 2]), None
    if columns.size or columns.far_corner:
        sizes = xy[:, 3:5] - (xy[:, :2] if columns.far_corner else 0)
        if not (sizes > 0).all():
            row = rows[int(np.flatnonzero((sizes <= 0).any(axis=1))[0])]
            raise _bad(path, row, "a width and height above 0")
        if not columns.is_centre:
            yx = (xy[:, :2] + sizes / 2)[:, ::-1]
        box_size = float(np.median(sizes))
    remarks = (_NO_SCORE,) if columns.z is not None and columns.width is None else ()
    if columns.micrograph is None:
        picks = ScoredCoordinates.from_arrays(yx, scores)
        return FilePicks({None: picks}, box_size, remarks=remarks)
    names = [restored(row.fields[columns.micrograph]) for row in rows]
    return FilePicks(group_coordinates(names, yx, scores), box_size, remarks=remarks)


def _commented_header(rows: list[Row]) -> Columns | None:
    """Return the columns that a comment right before the first row names."""
    first = next((i for i, row in enumerate(rows) if not row.is_comment), 0)
    if first == 0:
        return None
    text = " ".join(rows[first - 1].fields).lstrip("# ")
    return named_columns([field for field in re.split(r"[\s,;]+", text) if field])


def _columns(path: Path, rows: list[Row]) -> tuple[Columns, list[Row]]:
    """Return the columns and the rows of data."""
    data = [row for row in rows if not row.is_comment]
    if not data:
        return Columns(), []
    header = data[0]
    if not is_header(header.fields):
        columns = _commented_header(rows)
        return columns or _numbered(path, data), data
    columns = named_columns(header.fields)
    if columns is None:
        raise FileFormatError(
            path,
            expected=f"a header with columns x and y on line {header.line}, or rows "
            "'x,y'",
            received=f"columns {', '.join(header.fields)}",
        )
    data = data[1:]
    if data and all(len(row.fields) == len(header.fields) + 1 for row in data):
        columns = columns.behind_row_names()  # as R writes tables
    if columns.micrograph is not None:
        data = [row for row in rows if row.line > header.line and _may_be(row, columns)]
    if columns.z is not None:
        _refuse_slices(path, data, columns.z)
    return columns, data


def _may_be(row: Row, columns: Columns) -> bool:
    """Return whether a row is none, or the row of a name that begins with ``#``."""
    return not row.is_comment or (
        len(row.fields) == columns.width and is_number(row.fields[columns.x])
    )


def _refuse_slices(path: Path, rows: list[Row], z: int) -> None:
    if len({row.fields[z] for row in rows if len(row.fields) > z}) > 1:
        raise FileFormatError(
            path,
            expected="picks on a micrograph",
            received="a column z of several values, as of a tomogram",
        )


def _numbered(path: Path, rows: list[Row]) -> Columns:
    width = len(rows[0].fields)
    table = []
    for row in rows:
        if len(row.fields) != width or width < 2:
            raise _bad(path, row, _ROWS)
        try:
            table.append([parse_score(field) for field in row.fields])
        except ValueError as error:
            raise _bad(path, row, _ROWS) from error
    is_xyz = path.suffix.lower() in _XYZ
    columns = numbered_columns(np.array(table), is_xyz=is_xyz)
    if columns is None:
        raise _bad(path, rows[0], _ROWS)
    return columns


def _bad(path: Path, row: Row, expected: str) -> FileFormatError:
    received = ",".join(row.fields)
    return bad_row(path, row.line, expected=expected, received=received)


def _parse(path: Path, row: Row, columns: Columns) -> list[float]:
    """Return x, y, score and, for boxes, two numbers more."""
    fields, expected = row.fields, _ROWS
    try:
        if columns.width is not None:
            expected = f"{columns.width} fields, with numbers for x, y and a score,"
            if len(fields) != columns.width:
                raise ValueError(f"{len(fields)} fields")
        if columns.micrograph is not None and not fields[columns.micrograph]:
            raise ValueError("no micrograph")
        score = np.nan if columns.score is None else parse_score(fields[columns.score])
        extent = columns.size or columns.far_corner or ()
        places = [parse_position(fields[i]) for i in (columns.x, columns.y, *extent)]
    except ValueError as error:
        raise _bad(path, row, expected) from error
    return [*places[:2], score, *places[2:]]


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    _write_table(path, ["x", "y", "score"], _format_rows(picks))


def _write_merged(
    path: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    box: int,
    shapes: Mapping[str, Shape],
) -> None:
    refuse_characters(coordinates, "\n\r")
    rows = [
        [defused(name), *row]
        for name, picks in coordinates.items()
        for row in _format_rows(picks)
    ]
    _write_table(path, ["micrograph", "x", "y", "score"], rows)


def _format_rows(picks: ScoredCoordinates) -> list[list[str]]:
    return [
        [format_number(x), format_number(y), "" if s != s else format_number(s)]
        for (y, x), s in zip(picks.yx.tolist(), picks.scores.tolist(), strict=True)
    ]


def _write_table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([header, *rows])
    write_text(path, buffer.getvalue())


CODEC = PickCodec(
    extensions=(".csv", ".tsv", ".txt", *_XYZ),
    recognise=_recognise,
    read=read_table,
    write=_write,
    file_name="{stem}.csv",
    write_merged=_write_merged,
)

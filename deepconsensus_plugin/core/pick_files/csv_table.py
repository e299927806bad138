# SPDX-License-Identifier: GPL-3.0-or-later
"""CSV and kindred text tables: ``x,y[,score]``, with a header or without, box CENTRES.

Separated by commas, semicolons, tabs or blanks. With a header, columns go by name in
whatever order, CryoPPP's (``X-Coordinate``, ``Y-Coordinate``) and Topaz' (``x_coord``)
among them; a column of micrograph names makes it a merged table. A header is a first
row without a single number in it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.atomic import write_text
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
)
from deepconsensus_plugin.core.types import ScoredCoordinates

# Compared in lower case, letters only.
_X_NAMES = ("x", "xcoordinate", "xcoord", "xcoor", "coordinatex", "xcenter", "centerx")
_Y_NAMES = tuple(
    name[:-1] + "y" if name.endswith("x") else "y" + name[1:] for name in _X_NAMES
)
_SCORE_NAMES = (
    *("score", "confidence", "probability", "cost"),
    *("figureofmerit", "autopickfigureofmerit", "fom"),
)
_MICROGRAPH_NAMES = (
    *("micrograph", "micrographname", "micrographfilename", "micname"),
    *("imagename", "imagefilename", "image", "filename"),
)

_Row = tuple[int, list[str]]


@dataclass(frozen=True)
class _Layout:
    """Positions of the fields of a row; None where the table has no such column."""

    x: int
    y: int
    score: int | None
    micrograph: int | None
    width: int | None


def _recognise(head: bytes) -> bool:
    try:
        rows = _rows(head.decode("utf-8-sig", errors="strict"))[:2]
    except UnicodeDecodeError:
        return False
    if not rows:
        return False
    first = rows[0][1]
    if _is_header(first):
        return _column(first, _X_NAMES) is not None
    return len(first) in (2, 3) and all(_is_number(field) for field in first)


def read_table(path: Path, box_size: float | None = None) -> FilePicks:
    """Return what a text table holds; `box_size` is not needed.

    Raises
    ------
    FileFormatError
        If there are no columns x and y, or a row is bad; names the line.
    """
    rows = _rows(read_text(path))
    if not rows:
        return FilePicks({None: NO_COORDINATES})
    layout = _Layout(0, 1, 2, None, None)
    if _is_header(rows[0][1]):
        layout = _layout(path, *rows.pop(0))
    parsed = [_parse(path, row, layout) for row in rows]
    yx = np.array([(y, x) for x, y, _, _ in parsed], dtype=float).reshape(-1, 2)
    scores = np.array([score for _, _, score, _ in parsed], dtype=float)
    if layout.micrograph is None or not parsed:
        return FilePicks({None: ScoredCoordinates.from_arrays(yx, scores)})
    names = [name for _, _, _, name in parsed]
    return FilePicks(group_coordinates(names, yx, scores))


def _rows(text: str) -> list[_Row]:
    """Return line numbers and stripped fields, without blank lines and comments."""
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        return []
    delimiters = [mark for mark in (",", ";", "\t") if mark in lines[0][1]]
    if not delimiters:
        return [(number, line.split()) for number, line in lines]
    return [
        (number, [field.strip() for field in next(csv.reader([line], delimiter=mark))])
        for mark in delimiters[:1]
        for number, line in lines
    ]


def _is_header(fields: list[str]) -> bool:
    return not any(_is_number(field) for field in fields)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _layout(path: Path, line: int, header: list[str]) -> _Layout:
    x, y = _column(header, _X_NAMES), _column(header, _Y_NAMES)
    if x is None or y is None:
        raise FileFormatError(
            path,
            expected=f"a header with columns x and y on line {line}, or rows 'x,y'",
            received=f"columns {', '.join(header)}",
        )
    score, name = _column(header, _SCORE_NAMES), _column(header, _MICROGRAPH_NAMES)
    return _Layout(x, y, score, name, len(header))


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    for position, field in enumerate(header):
        letters = "".join(filter(str.isalpha, field.lower())).removeprefix("rln")
        if letters in names:
            return position
    return None


def _parse(path: Path, row: _Row, layout: _Layout) -> tuple[float, float, float, str]:
    """Return x, y, score and micrograph (empty where the table names none)."""
    line, fields = row
    expected = "numbers 'x,y' or 'x,y,score'"
    try:
        if layout.width is not None:
            expected = f"{layout.width} fields, with numbers for x and y,"
            if len(fields) != layout.width:
                raise ValueError(f"{len(fields)} fields")
        elif len(fields) not in (2, 3):
            raise ValueError(f"{len(fields)} fields")
        x, y = parse_position(fields[layout.x]), parse_position(fields[layout.y])
        has_score = layout.score is not None and layout.score < len(fields)
        score = parse_score(fields[layout.score or 0]) if has_score else np.nan
        name = "" if layout.micrograph is None else fields[layout.micrograph]
        if layout.micrograph is not None and not name:
            raise ValueError("no micrograph")
    except ValueError as error:
        raise bad_row(
            path, line, expected=expected, received=",".join(fields)
        ) from error
    return x, y, score, name


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    _write_table(path, ["x", "y", "score"], _format_rows(picks))


def _write_merged(
    path: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    box: int,
    shapes: Mapping[str, Shape],
) -> None:
    rows = [
        [name, *row]
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
    extensions=(".csv", ".tsv", ".txt"),
    recognise=_recognise,
    read=read_table,
    write=_write,
    file_name="{stem}.csv",
    write_merged=_write_merged,
)

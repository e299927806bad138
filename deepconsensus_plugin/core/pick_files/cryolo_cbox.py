# SPDX-License-Identifier: GPL-3.0-or-later
"""crYOLO ``.cbox``: boxes with their lower left CORNER, size and confidence.

A STAR file with the block ``data_cryolo`` (``_CoordinateX``, ``_CoordinateY``,
``_Width``, ``_Height``, ``_Confidence`` and more; what is not known is ``<NA>``), or,
from early versions of crYOLO, rows ``x y w h confidence …`` without a header. "Lower
left" is as in EMAN's ``.box``: the smallest x and y.

The file holds boxes below crYOLO's threshold too, for a threshold to be chosen later: a
minimum score at import leaves them out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
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
)
from deepconsensus_plugin.core.pick_files.star_blocks import numeric_column, read_blocks
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

_BLOCK = "cryolo"
_X, _Y, _SCORE = "CoordinateX", "CoordinateY", "Confidence"
_WIDTH, _HEIGHT = "Width", "Height"
_COLUMNS = (
    *(_X, _Y, "CoordinateZ", _WIDTH, _HEIGHT, "Depth"),
    *("EstWidth", "EstHeight", _SCORE, "NumBoxes", "Angle"),
)
_UNKNOWN = "<NA>"
_ROW = "corner, size and confidence 'x y w h confidence'"


def _recognise(head: bytes) -> bool:
    return b"_cbox_format_version" in head or b"data_cryolo" in head


def _read(path: Path, box_size: float | None) -> FilePicks:
    text = read_text(path)
    if not text.strip():
        return FilePicks({None: NO_COORDINATES})
    table = _read_block(path) if "data_" in text else _read_rows(path, text)
    if not len(table):
        return FilePicks({None: NO_COORDINATES})
    corners, sizes, scores = table[:, :2], table[:, 2:4], table[:, 4]
    if not (sizes > 0).all():
        raise FileFormatError(
            path, expected="a positive size for each box", received=f"{sizes.min()}"
        )
    centres = corners + sizes / 2
    picks = ScoredCoordinates.from_arrays(centres[:, ::-1], scores)
    return FilePicks({None: picks}, box_size=float(np.median(sizes)))


def _read_block(path: Path) -> FloatArray:
    """Return x, y, w, h and confidence of every box, shape (n, 5)."""
    needed = (_X, _Y, _WIDTH, _HEIGHT)
    blocks = read_blocks(path, as_text=(_X, _Y, _SCORE))
    columns = blocks.get(_BLOCK, {})
    if missing := [column for column in needed if column not in columns]:
        raise FileFormatError(
            path,
            expected=f"the columns {', '.join(f'_{c}' for c in needed)} in data_cryolo",
            received=f"none called {', '.join(f'_{c}' for c in missing)}",
        )
    table = [numeric_column(path, blocks, _BLOCK, column) for column in needed]
    if _SCORE in columns:
        scores = numeric_column(path, blocks, _BLOCK, _SCORE, allow_nan=True)
    else:
        scores = np.full(len(table[0]), np.nan)
    return np.column_stack([*table, scores])


def _read_rows(path: Path, text: str) -> FloatArray:
    rows = [
        _parse(path, number, line.split())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return np.array(rows, dtype=float).reshape(-1, 5)


def _parse(path: Path, line: int, fields: list[str]) -> list[float]:
    try:
        if len(fields) < 5:
            raise ValueError(f"{len(fields)} fields")
        return [*map(parse_position, fields[:4]), parse_score(fields[4])]
    except ValueError as error:
        raise bad_row(path, line, expected=_ROW, received=" ".join(fields)) from error


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    names = [f"_{name} #{number}" for number, name in enumerate(_COLUMNS, start=1)]
    rows = []
    corners = (picks.yx - box / 2).tolist()
    for (y, x), score in zip(corners, picks.scores.tolist(), strict=True):
        confidence = _UNKNOWN if np.isnan(score) else format_number(score)
        position = f"{format_number(x)} {format_number(y)} {_UNKNOWN}"
        size = f"{box} {box} {_UNKNOWN} {box} {box}"
        rows.append(f"{position} {size} {confidence} {_UNKNOWN} {_UNKNOWN}")
    lines = [
        *("data_global", "", "_cbox_format_version 1.0", ""),
        *("data_cryolo", "", "loop_", *names, *rows, ""),
        *("data_cryolo_include", "", "loop_", "_slice_index #1", "", ""),
    ]
    write_text(path, "\n".join(["", *lines]))


CODEC = PickCodec(
    extensions=(".cbox",),
    recognise=_recognise,
    read=_read,
    write=_write,
    file_name="{stem}.cbox",
    holds_corners=True,
    records_box_size=True,
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""crYOLO ``.cbox``: boxes with their lower left CORNER, size and confidence.

A STAR file with the block ``data_cryolo`` (``_CoordinateX``, ``_CoordinateY``,
``_Width``, ``_Height``, ``_Confidence`` and more; what is not known is ``<NA>``), or,
from early versions of crYOLO, rows ``x y w h confidence …`` without a header. "Lower
left" is as in EMAN's ``.box``: the smallest x and y. Boxes of a tomogram, which have a
slice (``_CoordinateZ``), are refused.

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
    lines_of,
    parse_position,
    parse_score,
    read_text,
)
from deepconsensus_plugin.core.pick_files.codec import (
    NO_COORDINATES,
    FilePicks,
    PickCodec,
)
from deepconsensus_plugin.core.pick_files.star_blocks import Block, read_blocks
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

_BLOCK = "cryolo"
_X, _Y, _Z, _SCORE = "CoordinateX", "CoordinateY", "CoordinateZ", "Confidence"
_WIDTH, _HEIGHT = "Width", "Height"
_COLUMNS = (
    *(_X, _Y, _Z, _WIDTH, _HEIGHT, "Depth"),
    *("EstWidth", "EstHeight", _SCORE, "NumBoxes", "Angle"),
)
_UNKNOWN = "<NA>"
_ROW = "corner, size and confidence 'x y w h confidence'"


def _recognise(head: bytes) -> bool:
    return b"_cbox_format_version" in head or b"data_cryolo" in head


def _read(path: Path) -> FilePicks:
    text = read_text(path)
    if not text.strip():
        return FilePicks({None: NO_COORDINATES})
    table = _read_blocks(path) if "data_" in text else _read_rows(path, text)
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


def _read_blocks(path: Path) -> FloatArray:
    """Return x, y, w, h and confidence of every box, shape (n, 5)."""
    blocks = [block for block in read_blocks(path) if block.name == _BLOCK]
    return np.concatenate([_read_block(block) for block in blocks or [Block(path, "")]])


def _read_block(block: Block) -> FloatArray:
    needed = (_X, _Y, _WIDTH, _HEIGHT)
    if missing := [column for column in needed if column not in block]:
        raise FileFormatError(
            block.path,
            expected=f"the columns {', '.join(f'_{c}' for c in needed)} in data_cryolo",
            received=f"none called {', '.join(f'_{c}' for c in missing)}",
        )
    if _Z in block and _n_slices(block) > 1:
        raise FileFormatError(
            block.path,
            expected="boxes on a micrograph",
            received="boxes in many slices of a tomogram",
        )
    scores = np.full(len(block), np.nan)
    if _SCORE in block:
        scores = block.scores(_SCORE)
    return np.column_stack([*(block.positions(column) for column in needed), scores])


def _n_slices(block: Block) -> int:
    depths = block.numbers(_Z, allow_nan=True)
    return len(np.unique(depths[~np.isnan(depths)]))


def _read_rows(path: Path, text: str) -> FloatArray:
    rows = [
        _parse(path, number, line.split())
        for number, line in enumerate(lines_of(text), start=1)
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""EMAN ``.box``: one row ``x y w h [score]`` a box, `x` and `y` its lower left CORNER.

"Lower left" as EMAN displays images: the pixel with the smallest x and y, so that the
centre is ``(x + w/2, y + h/2)`` in the order of the file, without a flip. Rows without
a size, ``x y`` as helical programs write segments or ``x y 0 0``, are centres by the
same rule. EMAN1 marks boxes with a fifth column that is -3 throughout; that is no
score. It marks the start and the end of a filament with -1 and -2: such rows are no
particles, and are refused.
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
from deepconsensus_plugin.core.types import ScoredCoordinates

_EMAN1_MARK = "-3"
_START_END = {"-1", "-2"}
_ROW = "corner and size 'x y w h', perhaps a score"


def _recognise(head: bytes) -> bool:
    fields = head.split(b"\n", 1)[0].split()
    if len(fields) not in (4, 5):
        return False
    try:
        _, _, w, h, *_ = map(float, fields)
    except ValueError:
        return False
    return w == h > 0  # four numbers alone could be anything


def _read(path: Path) -> FilePicks:
    rows = [
        (number, line.split())
        for number, line in enumerate(lines_of(read_text(path)), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        return FilePicks({None: NO_COORDINATES})
    marks = {"".join(fields[4:5]) for _, fields in rows}
    if marks == _START_END:
        raise FileFormatError(
            path,
            expected="one row for each particle",
            received="starts and ends of filaments (fifth column -1 and -2). Cut the "
            "filaments into segments in the program that traced them, and give those",
        )
    table = np.array([_parse(path, number, fields) for number, fields in rows])
    sizes = table[:, 2:4]
    centres = table[:, :2] + sizes / 2
    scores = np.full(len(table), np.nan) if marks == {_EMAN1_MARK} else table[:, 4]
    picks = ScoredCoordinates.from_arrays(centres[:, ::-1], scores)
    known = sizes[sizes > 0]
    return FilePicks({None: picks}, float(np.median(known)) if known.size else None)


def _parse(
    path: Path, number: int, fields: list[str]
) -> tuple[float, float, float, float, float]:
    """Return x, y, w, h and score of one row; sizes are 0 where it has none."""
    received = " ".join(fields)
    try:
        if len(fields) not in (2, 4, 5):
            raise ValueError(f"{len(fields)} fields")
        x, y = parse_position(fields[0]), parse_position(fields[1])
        w, h = (parse_position(field) for field in fields[2:4] or ("0", "0"))
        score = parse_score("".join(fields[4:5]))
    except ValueError as error:
        raise bad_row(path, number, expected=_ROW, received=received) from error
    if w < 0 or h < 0 or (w == 0) != (h == 0):
        expected = "a positive width and height, or 0 for both"
        raise bad_row(path, number, expected=expected, received=received)
    return x, y, w, h, score


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    size = str(box)
    rows = []
    for (y, x), score in zip((picks.yx - box / 2).tolist(), picks.scores, strict=True):
        fields = [format_number(x), format_number(y), size, size]
        if not np.isnan(score):
            fields.append(repr(float(score)))  # with a point: not EMAN1's mark
        rows.append("\t".join(fields) + "\n")
    write_text(path, "".join(rows))


CODEC = PickCodec(
    extensions=(".box",),
    recognise=_recognise,
    read=_read,
    write=_write,
    file_name="{stem}.box",
    holds_corners=True,
    records_box_size=True,
)

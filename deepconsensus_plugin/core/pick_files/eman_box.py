# SPDX-License-Identifier: GPL-3.0-or-later
"""EMAN ``.box``: one row ``x y w h [score]`` a box, `x` and `y` its lower left CORNER.

"Lower left" as EMAN displays images: the pixel with the smallest x and y, so that the
centre is ``(x + w/2, y + h/2)`` in the order of the file, without a flip. EMAN1 marks
boxes with a fifth column that is -3 throughout; that is no score.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
from deepconsensus_plugin.core.types import ScoredCoordinates

_EMAN1_MARK = "-3"
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


def _read(path: Path, box_size: float | None) -> FilePicks:
    rows = [
        (number, line.split())
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        return FilePicks({None: NO_COORDINATES})
    marked = all(fields[4:5] == [_EMAN1_MARK] for _, fields in rows)
    table = np.array(
        [_parse(path, number, fields, box_size) for number, fields in rows]
    )
    sizes = table[:, 2:4]
    centres = table[:, :2] + sizes / 2
    scores = np.full(len(table), np.nan) if marked else table[:, 4]
    picks = ScoredCoordinates.from_arrays(centres[:, ::-1], scores)
    return FilePicks({None: picks}, box_size=float(np.median(sizes)))


def _parse(
    path: Path, number: int, fields: list[str], box_size: float | None
) -> tuple[float, float, float, float, float]:
    """Return x, y, w, h, score of one row; a row without a size takes `box_size`."""
    received = " ".join(fields)
    try:
        if len(fields) not in (2, 4, 5):
            raise ValueError(f"{len(fields)} fields")
        x, y = parse_position(fields[0]), parse_position(fields[1])
        w, h = (parse_position(field) for field in fields[2:4] or ("0", "0"))
        score = parse_score("".join(fields[4:5]))
    except ValueError as error:
        raise bad_row(path, number, expected=_ROW, received=received) from error
    if w > 0 and h > 0:
        return x, y, w, h, score
    if box_size is None:
        expected = "a positive width and height (or a box size given with the import)"
        raise bad_row(path, number, expected=expected, received=received)
    return x, y, box_size, box_size, score


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

# SPDX-License-Identifier: GPL-3.0-or-later
"""RELION ``.star``: one file a micrograph, a merged list, or ``autopick.star``.

Read: the block with ``_rlnCoordinateX`` and ``_rlnCoordinateY`` (box centres), the
picker's score ``_rlnAutopickFigureOfMerit`` (-999 = none) and, in a merged list,
``_rlnMicrographName``. RELION 4's ``autopick.star`` only lists the files: they are
looked for beside it and in the folders above, where RELION's project is.

Written: one merged list, or a file for each micrograph and ``autopick.star``, whose
paths hold in the working directory, as RELION wants it when started in its project.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.text import format_number
from deepconsensus_plugin.core.pick_files.codec import (
    NO_COORDINATES,
    FilePicks,
    PickCodec,
    Shape,
)
from deepconsensus_plugin.core.pick_files.star_blocks import (
    Columns,
    numeric_column,
    read_blocks,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_NAME = "rlnMicrographName"
_LIST, _LIST_BLOCK = "rlnMicrographCoordinates", "coordinate_files"
_X, _Y = "rlnCoordinateX", "rlnCoordinateY"
_SCORE = "rlnAutopickFigureOfMerit"
_NO_SCORE = -999.0


def _recognise(head: bytes) -> bool:
    return b"data_" in head and b"_rln" in head


def _read(path: Path, box_size: float | None) -> FilePicks:
    blocks = read_blocks(path, as_text=(_NAME, _LIST, _X, _Y, _SCORE))
    for name, columns in blocks.items():
        if _X in columns and _Y in columns:
            return _read_coordinates(path, blocks, name)
        if _LIST in columns and _NAME in columns:
            return _read_listed(path, columns)
    if not path.stat().st_size:
        return FilePicks({None: NO_COORDINATES})
    found = sorted({column for columns in blocks.values() for column in columns})
    raise FileFormatError(
        path,
        expected=f"a block with the columns _{_X} and _{_Y}",
        received=f"columns {', '.join(found)}" if found else "no block with columns",
    )


def _read_coordinates(
    path: Path, blocks: Mapping[str, Columns], block: str
) -> FilePicks:
    yx = np.column_stack(
        [numeric_column(path, blocks, block, column) for column in (_Y, _X)]
    )
    scores = np.full(len(yx), np.nan)
    if _SCORE in blocks[block]:
        scores = numeric_column(path, blocks, block, _SCORE, allow_nan=True)
        scores = np.where(scores == _NO_SCORE, np.nan, scores)
    if _NAME not in blocks[block] or not len(yx):
        return FilePicks({None: ScoredCoordinates.from_arrays(yx, scores)})
    names = [str(name) for name in blocks[block][_NAME]]
    return FilePicks(group_coordinates(names, yx, scores))


def _read_listed(path: Path, columns: Columns) -> FilePicks:
    coordinates: dict[str | None, ScoredCoordinates] = {}
    files = [_find_listed(path, str(listed)) for listed in columns[_LIST]]
    for micrograph, file in zip(columns[_NAME], files, strict=True):
        coordinates[str(micrograph)] = _read_one(file)
    return FilePicks(coordinates, listed=tuple(files))


def _read_one(path: Path) -> ScoredCoordinates:
    """Return the picks of a file of one micrograph, which it may name in each row."""
    found = _read(path, None).coordinates
    if len(found) != 1:
        raise FileFormatError(
            path,
            expected="picks of one micrograph, as the file that lists it says",
            received=f"{len(found)} micrographs",
        )
    return next(iter(found.values()))


def _find_listed(path: Path, listed: str) -> Path:
    for folder in path.absolute().parents:
        if (folder / listed).is_file():
            return folder / listed
    raise FileFormatError(
        path,
        expected="the coordinate files that it lists, here or in a folder above",
        received=f"no file {listed}",
    )


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    write_text(path, _header((_X, _Y, _SCORE)) + "".join(_format_rows(picks)))


def _write_list(folder: Path, files: Mapping[str, Path], box: int) -> Path:
    """List the files as RELION's project finds them: from the working directory."""
    path = folder / "autopick.star"
    rows = [f"{_quoted(name)}\t{_quoted(str(file))}\n" for name, file in files.items()]
    write_text(path, _header((_NAME, _LIST), _LIST_BLOCK) + "".join(rows))
    return path


def _write_merged(
    path: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    box: int,
    shapes: Mapping[str, Shape],
) -> None:
    rows = [
        f"{_quoted(name)}\t{row}"
        for name, picks in coordinates.items()
        for row in _format_rows(picks)
    ]
    write_text(path, _header((_NAME, _X, _Y, _SCORE)) + "".join(rows))


def _header(columns: tuple[str, ...], block: str = "") -> str:
    lines = [f"_{column} #{number}" for number, column in enumerate(columns, start=1)]
    return "\n".join(["", f"data_{block}", "", "loop_", *lines, ""])


def _format_rows(picks: ScoredCoordinates) -> list[str]:
    scores = np.where(np.isnan(picks.scores), _NO_SCORE, picks.scores)
    table = np.column_stack([picks.yx[:, ::-1], scores])
    return ["\t".join(map(format_number, row)) + "\n" for row in table.tolist()]


def _quoted(name: str) -> str:
    return f'"{name}"' if len(name.split()) > 1 else name


CODEC = PickCodec(
    extensions=(".star",),
    recognise=_recognise,
    read=_read,
    write=_write,
    file_name="{stem}_autopick.star",
    write_companion=_write_list,
    write_merged=_write_merged,
)

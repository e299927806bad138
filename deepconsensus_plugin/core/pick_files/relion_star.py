# SPDX-License-Identifier: GPL-3.0-or-later
"""RELION ``.star``: one file a micrograph, a merged list, or ``autopick.star``.

Read: all blocks with ``_rlnCoordinateX`` and ``_rlnCoordinateY`` (box centres), the
picker's score and, in a merged list, ``_rlnMicrographName``. Of refined particles the
origins are subtracted, as RELION does when it extracts again (`relion_particles`).
RELION 4's ``autopick.star`` only lists files, of any format; they are looked for beside
it, also by the end of their path, and in the folders above, where the project is.

Written: one merged list, or a file for each micrograph where RELION 2 and 3 look for it
in a job's folder, and ``autopick.star``, which RELION 4 and 5 read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

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
from deepconsensus_plugin.core.pick_files.names import listed as named
from deepconsensus_plugin.core.pick_files.relion_particles import read_lengths
from deepconsensus_plugin.core.pick_files.star_blocks import (
    Block,
    images_named,
    quoted,
    read_blocks,
    star_table,
)
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

_NAME = "rlnMicrographName"
_LIST, _LIST_BLOCK = "rlnMicrographCoordinates", "coordinate_files"
_X, _Y, _Z = "rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ"
_SCORE = "rlnAutopickFigureOfMerit"
_SCORES = (_SCORE, "rlnParticleScore", "rlnParticleFigureOfMerit")
_NO_SCORE = -999.0
COORDINATE_COLUMNS = (_X, _Y, _SCORE)
_TOMOGRAM = "rlnTomoName"
_LONGEST_TAIL = 32
"""Folders of a listed file that are looked for nearby."""

_ORIGINS_USED = (
    "The particles have origins from a refinement or classification; centres are "
    "coordinates minus origins."
)
_ORIGINS_UNKNOWN = (
    "WARNING: The particles have origins in pixels of images whose pixel size the file "
    "does not tell; they were not used."
)


def _recognise(head: bytes) -> bool:
    return b"data_" in head and b"_rln" in head


def _read(path: Path) -> FilePicks:
    blocks = read_blocks(path)
    holders = [block for block in blocks if block.has(_X, _Y)]
    lists = [block for block in blocks if block.has(_NAME, _LIST)]
    if holders:
        return _read_coordinates(holders, blocks)
    if lists:
        return _read_list(path, lists)
    if not path.stat().st_size:
        return FilePicks({None: NO_COORDINATES})
    found = sorted({column for block in blocks for column in block.columns})
    raise FileFormatError(
        path,
        expected=f"a block with the columns _{_X} and _{_Y}",
        received=f"columns {', '.join(found)}" if found else "no block with columns",
    )


def _read_coordinates(holders: Sequence[Block], blocks: Sequence[Block]) -> FilePicks:
    _refuse_tomograms(holders)
    names: list[str | None] = []
    for block in holders:
        known = images_named(block, _NAME) if _NAME in block else [None] * len(block)
        names += known
    yx = np.concatenate(
        [np.column_stack([each.positions(_Y), each.positions(_X)]) for each in holders]
    )
    scores, remarks = _read_scores(holders)
    lengths = read_lengths(holders, blocks)
    if lengths.is_moved:
        remarks += (_ORIGINS_USED,)
    if lengths.is_unknown:
        remarks += (_ORIGINS_UNKNOWN,)
    return FilePicks(
        group_coordinates(names, yx, scores) if names else {None: NO_COORDINATES},
        remarks=remarks,
        in_angstrom=lengths.in_angstrom(names),
    )


def _refuse_tomograms(holders: Sequence[Block]) -> None:
    for block in holders:
        is_deep = _Z in block and len({*block.columns[_Z]}) > 1
        if is_deep or _TOMOGRAM in block:
            raise FileFormatError(
                block.path,
                expected="particles on micrographs",
                received="particles of a tomogram, with x, y and z",
            )


def _read_scores(holders: Sequence[Block]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the scores of the first column that has any, and a remark on it."""
    n_rows = sum(map(len, holders))
    for column in _SCORES:
        scores = np.concatenate(
            [
                block.scores(column) if column in block else np.full(len(block), np.nan)
                for block in holders
            ]
        )
        scores = np.where(scores == _NO_SCORE, np.nan, scores)
        if np.isfinite(scores).any():
            usual = column == _SCORE
            return scores, () if usual else (f"Scores were read from _{column}.",)
    return np.full(n_rows, np.nan), ()


def _read_list(path: Path, lists: Sequence[Block]) -> FilePicks:
    """Return the files of a list; those that are not there are named."""
    files: dict[str, Path] = {}
    missing: list[str] = []
    for block in lists:
        pairs = zip(images_named(block, _NAME), block.columns[_LIST], strict=True)
        for micrograph, file in pairs:
            found = find_listed(path, file)
            if found is None:
                missing.append(file)
            else:
                files[micrograph] = found
    if missing and not files:
        raise FileFormatError(
            path,
            expected="the coordinate files that it lists, here or in a folder above",
            received=f"no file {missing[0]}",
        )
    remarks: tuple[str, ...] = ()
    if missing:
        remarks = (
            f"WARNING: {len(missing)} of {len(missing) + len(files)} coordinate files "
            f"that {path.name} lists are not there: {named(missing)}. Their "
            "micrographs count as not run.",
        )
    return FilePicks({}, listed=files, remarks=remarks)


def find_listed(path: Path, file: str) -> Path | None:
    """Return the file by its path, or by as much of its end as is found nearby."""
    parts = PurePath(file).parts[-_LONGEST_TAIL:]
    tails = [Path(*parts[start:]) for start in range(len(parts))]
    above = path.absolute().parents
    places = [folder / file for folder in above] + [path.parent / t for t in tails[1:]]
    return next((place for place in places if _is_file(place)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that the file system cannot have
        return False


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    write_text(path, star_table("", COORDINATE_COLUMNS, coordinate_rows(picks)))


def _write_list(folder: Path, files: Mapping[str, Path], box: int) -> Path:
    """List the files by the names of their micrographs, as RELION 4 and 5 want it."""
    path = folder / "autopick.star"
    rows = [(quoted(name), quoted(str(file))) for name, file in files.items()]
    write_text(path, star_table(_LIST_BLOCK, (_NAME, _LIST), rows))
    return path


def _write_merged(
    path: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    box: int,
    shapes: Mapping[str, Shape],
) -> None:
    rows = [
        (quoted(name), *row)
        for name, picks in coordinates.items()
        for row in coordinate_rows(picks)
    ]
    write_text(path, star_table("", (_NAME, *COORDINATE_COLUMNS), rows))


def coordinate_rows(picks: ScoredCoordinates) -> list[list[str]]:
    """Return the values of `COORDINATE_COLUMNS` for each pick."""
    scores = np.where(np.isnan(picks.scores), _NO_SCORE, picks.scores)
    table = np.column_stack([picks.yx[:, ::-1], scores])
    return [list(map(format_number, row)) for row in table.tolist()]


CODEC = PickCodec(
    extensions=(".star",),
    recognise=_recognise,
    read=_read,
    write=_write,
    file_name="{job_path}_autopick.star",
    write_companion=_write_list,
    write_merged=_write_merged,
)

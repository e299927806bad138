# SPDX-License-Identifier: GPL-3.0-or-later
"""Xmipp ``.pos``: ``_xcoor _ycoor _cost _enabled`` in two blocks, box CENTRES.

``data_particles`` holds what a person picked or confirmed, ``data_particles_auto``
what the program found; whatever the state in ``data_header``, Xmipp and Scipion take
both and leave out what is disabled (``_enabled`` not above 0), and so does this reader.
``_cost`` is the score. A file with a state and no particles is an empty pick. Xmipp's
positions are whole pixels, so writing rounds to the nearest. The box size is
``_particleSize`` in ``config.xmd`` beside the files.

Files of all micrographs are read too: those that Xmipp's picker exports, a block
``data_mic_NAME`` for each micrograph, and tables of particles with a column
``_micrograph``, such as Xmipp's own deep consensus writes; its score is
``_zScoreDeepLearning1``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
)
from deepconsensus_plugin.core.pick_files.star_blocks import Block, read_blocks
from deepconsensus_plugin.core.types import BoolArray, FloatArray, ScoredCoordinates

_BLOCKS = ("particles", "particles_auto")
_CONFIG, _PROPERTIES, _SIZE = "config.xmd", "properties", "particleSize"
_X, _Y, _ENABLED, _MICROGRAPH = "xcoor", "ycoor", "enabled", "micrograph"
_SCORES = ("cost", "zScoreDeepLearning1")
_MARK = "# XMIPP_STAR_1 *\n#\n"
_HEADER = f"{_MARK}data_header\nloop_\n _pickingMicrographState\nManual\n"


def _recognise(head: bytes) -> bool:
    return head.startswith(b"# XMIPP_STAR") or b"_xcoor" in head


def _read(path: Path) -> FilePicks:
    blocks = read_blocks(path)
    if not path.stat().st_size:
        return FilePicks({None: NO_COORDINATES})
    if any(block.name == _PROPERTIES for block in blocks):
        return FilePicks({})  # config.xmd: of all micrographs, not of one
    holders = [block for block in blocks if block.has(_X, _Y)]
    of_one = [block for block in holders if block.name in _BLOCKS]
    if not holders and not any(block.name in (*_BLOCKS, "header") for block in blocks):
        raise FileFormatError(
            path,
            expected=f"a block with columns _{_X} and _{_Y}, such as data_particles "
            "or data_particles_auto",
            received=f"blocks {', '.join(block.name for block in blocks) or 'none'}",
        )
    for block in blocks:
        if block.name in _BLOCKS and len(block) and block not in holders:
            raise FileFormatError(
                path,
                expected=f"columns _{_X} and _{_Y} in data_{block.name}",
                received=f"columns {', '.join(block.columns)}",
            )
    size = _read_box_size(path.with_name(_CONFIG))
    if not holders:
        return FilePicks({None: NO_COORDINATES}, size)
    return FilePicks(_by_micrograph(of_one or holders), size)


def _by_micrograph(
    blocks: Sequence[Block],
) -> Mapping[str | None, ScoredCoordinates]:
    """Return the enabled picks, by what names a micrograph: rows, block or file."""
    names: list[str | None] = []
    for block in blocks:
        named = re.fullmatch("mic_(.+)", block.name)
        own = named[1] if named else None
        names += block.columns.get(_MICROGRAPH, [own] * len(block))
    yx = np.concatenate(
        [np.column_stack([each.positions(_Y), each.positions(_X)]) for each in blocks]
    )
    scores = np.concatenate([_read_scores(block) for block in blocks])
    enabled = np.concatenate([_is_enabled(block) for block in blocks])
    kept = np.flatnonzero(enabled)
    found = dict.fromkeys(names, NO_COORDINATES) or {None: NO_COORDINATES}
    rows = [names[row] for row in kept]
    return {**found, **group_coordinates(rows, yx[kept], scores[kept])}


def _read_scores(block: Block) -> FloatArray:
    for column in _SCORES:
        if column in block:
            return block.scores(column)
    return np.full(len(block), np.nan)


def _is_enabled(block: Block) -> BoolArray:
    if _ENABLED not in block:
        return np.ones(len(block), dtype=bool)
    return np.asarray(block.numbers(_ENABLED) > 0)


def _read_box_size(config: Path) -> float | None:
    if not config.is_file():
        return None
    for block in read_blocks(config):
        if block.name == _PROPERTIES and _SIZE in block:
            sizes = block.positions(_SIZE)
            return float(sizes[0]) if sizes.size and sizes[0] > 0 else None
    return None


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    columns = ["_itemId", "_enabled", "_xcoor", "_ycoor"]
    scored = not np.isnan(picks.scores).all()
    if scored:
        columns.append("_cost")
    whole = np.floor(picks.yx + 0.5).astype(int)
    rows = []
    for number, (y, x) in enumerate(whole.tolist(), start=1):
        cost = f" {format_number(picks.scores[number - 1])}" if scored else ""
        rows.append(f" {number:06d} 1 {x} {y}{cost}\n")
    names = "".join(f" {column}\n" for column in columns)
    write_text(path, f"{_HEADER}data_particles\nloop_\n{names}{''.join(rows)}")


def _write_config(folder: Path, files: Mapping[str, Path], box: int) -> Path:
    path = folder / _CONFIG
    columns = f" _{_SIZE}\n _pickingState\n"
    write_text(path, f"{_MARK}data_{_PROPERTIES}\nloop_\n{columns} {box} Manual\n")
    return path


CODEC = PickCodec(
    extensions=(".pos", ".xmd"),
    recognise=_recognise,
    read=_read,
    write=_write,
    file_name="{stem}.pos",
    write_companion=_write_config,
    records_box_size=True,
)

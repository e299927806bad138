# SPDX-License-Identifier: GPL-3.0-or-later
"""Xmipp ``.pos``: ``_xcoor _ycoor _cost _enabled`` in two blocks, box CENTRES.

``data_particles`` holds what a person picked or confirmed, ``data_particles_auto``
what the program found; whatever the state in ``data_header``, Xmipp and Scipion take
both and leave out what is disabled (``_enabled`` not above 0), and so does this reader.
``_cost`` is the score. A file with a state and no particles is an empty pick. Xmipp's
positions are whole pixels, so writing rounds to the nearest. The box size is
``_particleSize`` in ``config.xmd`` beside the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.text import format_number
from deepconsensus_plugin.core.pick_files.codec import (
    NO_COORDINATES,
    FilePicks,
    PickCodec,
)
from deepconsensus_plugin.core.pick_files.star_blocks import (
    Columns,
    numeric_column,
    read_blocks,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_BLOCKS = ("particles", "particles_auto")
_CONFIG, _PROPERTIES, _SIZE = "config.xmd", "properties", "particleSize"
_X, _Y, _COST, _ENABLED = "xcoor", "ycoor", "cost", "enabled"
_MARK = "# XMIPP_STAR_1 *\n#\n"
_HEADER = f"{_MARK}data_header\nloop_\n _pickingMicrographState\nManual\n"


def _recognise(head: bytes) -> bool:
    return head.startswith(b"# XMIPP_STAR") or b"_xcoor" in head


def _read(path: Path, box_size: float | None) -> FilePicks:
    blocks = read_blocks(path, as_text=(_X, _Y, _COST))
    if not path.stat().st_size:
        return FilePicks({None: NO_COORDINATES})
    if _PROPERTIES in blocks:  # config.xmd: of all micrographs, not of one
        return FilePicks({})
    present = [name for name in _BLOCKS if name in blocks]
    if not present and "header" not in blocks:
        raise FileFormatError(
            path,
            expected="a block data_particles or data_particles_auto",
            received=f"blocks {', '.join(blocks) or 'none'}",
        )
    parts = [_read_block(path, blocks, name) for name in present] or [NO_COORDINATES]
    yx = np.concatenate([part.yx for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    picks = ScoredCoordinates.from_arrays(yx, scores)
    return FilePicks({None: picks}, _read_box_size(path.with_name(_CONFIG)))


def _read_box_size(config: Path) -> float | None:
    if not config.is_file():
        return None
    blocks = read_blocks(config)
    if _SIZE not in blocks.get(_PROPERTIES, {}):
        return None
    sizes = numeric_column(config, blocks, _PROPERTIES, _SIZE)
    return float(sizes[0]) if sizes.size and sizes[0] > 0 else None


def _read_block(
    path: Path, blocks: Mapping[str, Columns], block: str
) -> ScoredCoordinates:
    columns = blocks[block]
    if not columns:
        return NO_COORDINATES
    if _X not in columns or _Y not in columns:
        raise FileFormatError(
            path,
            expected=f"columns _{_X} and _{_Y} in data_{block}",
            received=f"columns {', '.join(columns)}",
        )
    yx = np.column_stack(
        [numeric_column(path, blocks, block, column) for column in (_Y, _X)]
    )
    scores = np.full(len(yx), np.nan)
    if _COST in columns:
        scores = numeric_column(path, blocks, block, _COST, allow_nan=True)
    picks = ScoredCoordinates.from_arrays(yx, scores)
    if _ENABLED not in columns:
        return picks
    return picks.take(numeric_column(path, blocks, block, _ENABLED) > 0)


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

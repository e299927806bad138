# SPDX-License-Identifier: GPL-3.0-or-later
"""Topaz' tables: ``image_name  x_coord  y_coord  score``, separated by tabs, CENTRES.

Images go by their names without the last extension. ``topaz extract`` writes all of
them to one file, in pixels of the images it was given, often downsampled; without
``score`` it is a table to train with. Topaz' positions are whole pixels (it cuts
decimals off), so writing rounds to the nearest.

It is a kind of text table, and is read as one (`csv_table`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.text import format_number
from deepconsensus_plugin.core.pick_files.codec import (
    PickCodec,
    Shape,
    distinct_stems,
    refuse_characters,
)
from deepconsensus_plugin.core.pick_files.csv_table import read_table
from deepconsensus_plugin.core.types import ScoredCoordinates

_HEADER = ("image_name", "x_coord", "y_coord")


def _recognise(head: bytes) -> bool:
    fields = head.split(b"\n", 1)[0].split()
    return fields[:3] == [name.encode() for name in _HEADER]


def _write(path: Path, micrograph: str, picks: ScoredCoordinates, box: int) -> None:
    _write_merged(path, {micrograph: picks}, box, {})


def _write_merged(
    path: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    box: int,
    shapes: Mapping[str, Shape],
) -> None:
    refuse_characters(coordinates, "\t\n\r")
    stems = distinct_stems(list(coordinates))
    scored = any(np.isfinite(picks.scores).any() for picks in coordinates.values())
    lines = ["\t".join([*_HEADER, "score"] if scored else _HEADER)]
    for name, picks in coordinates.items():
        whole = np.floor(picks.yx + 0.5).astype(int)
        for (y, x), score in zip(whole.tolist(), picks.scores.tolist(), strict=True):
            fields = [stems[name], str(x), str(y)]
            lines.append("\t".join([*fields, format_number(score)][: 3 + scored]))
    write_text(path, "\n".join([*lines, ""]))


CODEC = PickCodec(
    extensions=(".txt",),
    recognise=_recognise,
    read=read_table,
    write=_write,
    file_name="{stem}.txt",
    write_merged=_write_merged,
)

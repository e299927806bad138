# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement of picks: from the picker's pixels to those of the micrographs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.codec import Shape
from deepconsensus_plugin.core.pick_files.picks import PickFormat
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

_SAME_SIZE = 0.01
"""Relative difference: binning by a fraction may round, and cut a few rows."""


_FORMATS = PickFormat.by_number()
_CORNERED = " and ".join(k.label for k in _FORMATS if k.codec.holds_corners)
_RECORDED = ", ".join(k.label for k in _FORMATS if k.codec.records_box_size)


@dataclass(frozen=True)
class ReadOptions(Declared):
    """Options of reading the files of one picker."""

    pattern: str = field(
        default="*",
        metadata=declare(
            "File pattern",
            "Files of the folder to read, for example *\\*.box*. *\\*\\** descends "
            "into subfolders.",
        ),
    )
    box_size: float | None = field(
        default=None,
        metadata=declare(
            "Box size",
            "Side of the box, in pixels of the micrographs.",
            unit="px",
            auto=f"as recorded in the files ({_RECORDED}; others do not record it)",
            ge=1,
        ),
    )
    pick_format: PickFormat | None = field(
        default=None,
        metadata=declare(
            "File format",
            "*Auto*: by the name and content of each file.\n"
            f"Positions in {_CORNERED} files are corners of boxes; in all other "
            "formats they are centres.",
        ),
    )
    scale: float = field(
        default=1.0,
        metadata=declare(
            "Scale factor",
            "Positions in the files are multiplied by this factor, for example 2 "
            "for picks made on micrographs binned by 2.",
            gt=0,
        ),
    )
    invert_y: bool = field(
        default=False,
        metadata=declare(
            "Flip Y",
            "*Yes*: y in the files counts from the bottom row, so that y becomes "
            "rows - 1 - y after scaling.\n"
            "*No*: y counts from the top row.",
        ),
    )
    min_score: float | None = field(
        default=None,
        metadata=declare(
            "Minimum score",
            "Picks with a lower score are left out; picks without a score are "
            "kept. *.cbox* files and Topaz tables also hold picks below the "
            "threshold of their program.",
            if_none="all picks",
        ),
    )


def place_picks(
    picks: ScoredCoordinates, micrograph: Micrograph, options: ReadOptions
) -> ScoredCoordinates:
    """Return the picks in pixels of the micrograph, without those of low score."""
    yx = picks.yx * options.scale
    if options.invert_y:
        yx = np.column_stack([micrograph.shape[0] - 1 - yx[:, 0], yx[:, 1]])
    placed = ScoredCoordinates(yx, picks.scores)
    if options.min_score is None:
        return placed
    return placed.take(~(picks.scores < options.min_score))


def check_shape(
    path: Path, shape: Shape, micrograph: Micrograph, *, scale: float
) -> None:
    """Refuse positions from micrographs of another size.

    Parameters
    ----------
    path : Path
        The pick file, for the message.
    shape : tuple of int
        Rows and columns of the micrograph that was picked, as the file says.
    micrograph : Micrograph
        The one that the picks are for.
    scale : float
        Pixels of `micrograph` per pixel of the file.

    Raises
    ------
    FileFormatError
        If `shape` times `scale` is another size; says which scale fits, if one does.
    """
    rows, columns = micrograph.shape
    if np.allclose(np.multiply(shape, scale), (rows, columns), rtol=_SAME_SIZE):
        return
    fitting = rows / shape[0]
    fits = np.isclose(shape[1] * fitting, columns, rtol=_SAME_SIZE)
    raise FileFormatError(
        path,
        expected=f"picks on {micrograph.name}, {rows} x {columns} pixels",
        received=f"picks on {shape[0]} x {shape[1]} pixels with scale {scale:g}; "
        + (f"give scale {fitting:.6g}" if fits else "those are cut or turned"),
    )

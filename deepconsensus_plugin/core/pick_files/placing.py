# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement of picks: from the picker's pixels to those of the micrographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.codec import Shape
from deepconsensus_plugin.core.pick_files.picks import PickFormat
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

_SAME_SIZE = 0.01
"""Relative difference: binning by a fraction may round, and cut a few rows."""


@dataclass(frozen=True)
class ReadOptions:
    """Options for reading the files of one picker.

    Parameters
    ----------
    pattern : str
        Glob within the folder; ``**`` descends.
    box_size : float, optional
        Pixels of the *micrographs*; by default what the files record, scaled.
    pick_format : PickFormat, optional
        By default it is recognised, and files of unknown formats are left out.
    scale : float
        Micrograph pixels per pixel of the files; positions are multiplied by it. > 0.
    invert_y : bool
        Whether y counts from the bottom: after scaling it becomes ``rows - 1 - y``.
    min_score : float, optional
        Picks with a lower score are left out; those without one stay.

    Raises
    ------
    ValueError
        If `scale` is not positive.
    """

    pattern: str = "*"
    box_size: float | None = None
    pick_format: PickFormat | None = None
    scale: float = 1.0
    invert_y: bool = False
    min_score: float | None = None

    def __post_init__(self) -> None:
        """Check the scale at the door."""
        if not self.scale > 0:
            raise ValueError(f"scale must be > 0, received {self.scale}")

    @property
    def file_box_size(self) -> float | None:
        """The box size in pixels of the files."""
        return None if self.box_size is None else self.box_size / self.scale


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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Interface of a coordinate format, and the parsing that text formats share.

A format is one module that ends in a `PickCodec`, and one line in
`deepconsensus_plugin.core.pick_files.picks.PickFormat`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.pick_files.names import stem
from deepconsensus_plugin.core.types import ScoredCoordinates

Shape = tuple[int, int]
"""Rows and columns of a micrograph, pixels."""


@dataclass(frozen=True)
class FilePicks:
    """Picks of one file.

    Parameters
    ----------
    coordinates : mapping of str or None to ScoredCoordinates
        By micrograph as the file names it; None is the micrograph that the file is
        named after. Empty: the file says nothing about any micrograph.
    box_size : float, optional
        Median of the sizes in the file, pixels, where the format records them.
    shapes : mapping of str or None to tuple of int
        Rows and columns of the micrographs that were picked, where the file says.
    listed : tuple of Path
        Files that this one only lists: what they hold is in `coordinates`.
    """

    coordinates: Mapping[str | None, ScoredCoordinates]
    box_size: float | None = None
    shapes: Mapping[str | None, Shape] = field(default_factory=dict)
    listed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class PickCodec:
    """Functions that recognise, read and write one format.

    Parameters
    ----------
    extensions : tuple of str
        Lower case with the dot; the first one is used for writing.
    recognise : callable
        Whether the first bytes of a file look like this format.
    read : callable
        ``(path, box_size)`` to what the file holds; `box_size` (pixels, or None) is
        for rows that record none of their own.
    write : callable, optional
        ``(path, micrograph, picks, box_size)``: one micrograph, one file.
    write_merged : callable, optional
        ``(path, coordinates, box_size, shapes)``: all micrographs in one file. A
        format has one of the two, or both.
    file_name : str
        Name of one micrograph's file in its program, below the folder; ``{stem}``
        is the micrograph's name without extension.
    write_companion : callable, optional
        ``(folder, files, box_size)`` to the file that its program expects beside those
        of the micrographs; `files` are theirs, by micrograph.
    holds_corners : bool
        Whether positions in the files are corners of boxes, not centres.
    records_box_size : bool
        Whether the files of picks, or their companion, tell the box size.
    """

    extensions: tuple[str, ...]
    recognise: Callable[[bytes], bool]
    read: Callable[[Path, float | None], FilePicks]
    write: Callable[[Path, str, ScoredCoordinates, int], None] | None
    file_name: str
    write_merged: (
        Callable[
            [Path, Mapping[str, ScoredCoordinates], int, Mapping[str, Shape]], None
        ]
        | None
    ) = None
    write_companion: Callable[[Path, Mapping[str, Path], int], Path] | None = None
    holds_corners: bool = False
    records_box_size: bool = False


NO_COORDINATES = ScoredCoordinates.from_arrays(np.zeros((0, 2)))


def distinct_stems(names: Sequence[str]) -> dict[str, str]:
    """Return every micrograph's name without folder and extensions.

    Raises
    ------
    ValueError
        If two would be the same.
    """
    owners: dict[str, str] = {}
    for name in names:
        other = owners.setdefault(stem(name), name)
        if other != name:
            raise ValueError(
                "expected micrographs of different names without their extensions, "
                f"received {other} and {name}. Take a format that keeps them: star, csv"
            )
    return {name: key for key, name in owners.items()}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Interface of a coordinate format, and the parsing that text formats share.

A format is one module that ends in a `PickCodec`, and one line in
`deepconsensus_plugin.core.pick_files.picks.PickFormat`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.pick_files.name_tokens import bare_name
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

Shape = tuple[int, int]
"""Rows and columns of a micrograph, pixels."""


@dataclass(frozen=True)
class InAngstrom:
    """Lengths that a file gives in Å, not in pixels of its positions.

    Parameters
    ----------
    pixel_size : float, optional
        Å per pixel of the file's positions, where the file says.
    least_pixel_size : float, optional
        Å per pixel of the movies, which may have been binned since.
    box_size : float, optional
        Å.
    shifts : mapping of str or None to array, shape (n, 2)
        What is added to the positions of a micrograph, ``yx``, Å.
    """

    pixel_size: float | None = None
    least_pixel_size: float | None = None
    box_size: float | None = None
    shifts: Mapping[str | None, FloatArray] = field(default_factory=dict)


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
    listed : mapping of str to Path
        Files that this one only lists, by micrograph.
    remarks : tuple of str
        Sentences on what was read, for the user.
    in_angstrom : InAngstrom
        What is not yet in `coordinates` and `box_size`.
    """

    coordinates: Mapping[str | None, ScoredCoordinates]
    box_size: float | None = None
    shapes: Mapping[str | None, Shape] = field(default_factory=dict)
    listed: Mapping[str, Path] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    in_angstrom: InAngstrom = InAngstrom()

    def in_pixels(self, pixel_size: float | None) -> FilePicks:
        """Return the picks with all lengths in pixels of the file's positions.

        Parameters
        ----------
        pixel_size : float, optional
            Å per pixel, where the file does not say. Without either, lengths in Å stay
            unknown.
        """
        given = self.in_angstrom
        known = max(pixel_size or 0, given.least_pixel_size or 0)
        pixel_size = given.pixel_size or known or None
        if given == InAngstrom() or pixel_size is None:
            return self
        moved = {
            name: ScoredCoordinates(
                picks.yx + given.shifts[name] / pixel_size, picks.scores
            )
            for name, picks in self.coordinates.items()
            if name in given.shifts
        }
        box_size = self.box_size
        if box_size is None and given.box_size is not None:
            box_size = given.box_size / pixel_size
        return replace(
            self,
            coordinates={**self.coordinates, **moved},
            box_size=box_size,
            in_angstrom=InAngstrom(given.pixel_size, given.least_pixel_size),
        )


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
        Path to what the file holds.
    write : callable, optional
        ``(path, micrograph, picks, box_size)``: one micrograph, one file.
    write_merged : callable, optional
        ``(path, coordinates, box_size, shapes)``: all micrographs in one file. A
        format has one of the two, or both.
    file_name : str
        Name of one micrograph's file in its program, below the folder; ``{stem}``
        is the micrograph's name without folder and extension, ``{job_path}`` its path
        in a folder of RELION (`name_tokens.path_in_job`).
    write_companion : callable, optional
        ``(folder, files, box_size)`` to the file that its program expects beside those
        of the micrographs; `files` are theirs, by micrograph, as the program is to
        find them.
    holds_corners : bool
        Whether positions in the files are corners of boxes, not centres.
    records_box_size : bool
        Whether the files of picks, or their companion, tell the box size.
    """

    extensions: tuple[str, ...]
    recognise: Callable[[bytes], bool]
    read: Callable[[Path], FilePicks]
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
    """Return every micrograph's name without folder and its last extension.

    Raises
    ------
    ValueError
        If two would be the same.
    """
    owners: dict[str, str] = {}
    for name in names:
        other = owners.setdefault(bare_name(name), name)
        if other != name:
            raise ValueError(
                "expected micrographs of different names without their folders and "
                f"extensions, received {other} and {name}. Take a format that keeps "
                "them: star, csv"
            )
    return {name: key for key, name in owners.items()}


def refuse_characters(names: Iterable[str], marks: str) -> None:
    """Raise ValueError for a name with a character that a format cannot hold."""
    for name in names:
        if found := [mark for mark in marks if mark in name]:
            raise ValueError(
                "expected names that the format can hold, received one with "
                f"{found[0]!r}: {name!r}. Take another format, or rename the micrograph"
            )

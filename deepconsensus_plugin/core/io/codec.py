# SPDX-License-Identifier: GPL-3.0-or-later
"""What a coordinate format must offer, and what the readers of text formats share.

A format is one module that ends in a `PickCodec`, and one line in
`deepconsensus_plugin.core.io.picks.PickFormat`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.names import stem
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

Shape = tuple[int, int]
"""Rows and columns of a micrograph, pixels."""


@dataclass(frozen=True)
class FilePicks:
    """What one pick file holds.

    Parameters
    ----------
    coordinates : mapping of str or None to ScoredCoordinates
        By micrograph as the file names it; None is the micrograph that the file is
        named after. Empty: the file says nothing about any micrograph.
    box_size : float, optional
        Median of the sizes in the file, pixels, where the format records them.
    shapes : mapping of str or None to tuple of int
        Rows and columns of the micrographs that were picked, where the file tells.
    listed : tuple of Path
        Files that this one only lists: what they hold is in `coordinates`.
    """

    coordinates: Mapping[str | None, ScoredCoordinates]
    box_size: float | None = None
    shapes: Mapping[str | None, Shape] = field(default_factory=dict)
    listed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class PickCodec:
    """How one format is recognised, read and written.

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
        What its program calls the file of one micrograph, below the folder; ``{stem}``
        is the micrograph's name without extension.
    write_companion : callable, optional
        ``(folder, files, box_size)`` to the file that its program expects beside those
        of the micrographs; `files` are theirs, by micrograph.
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


NO_COORDINATES = ScoredCoordinates.from_arrays(np.zeros((0, 2)))


def read_text(path: Path) -> str:
    """Return the content of a text file, without a byte order mark.

    Raises
    ------
    FileFormatError
        If it is not UTF-8.
    """
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            path, expected="a text file in UTF-8", received=str(error)
        ) from error


def bad_row(path: Path, line: int, *, expected: str, received: str) -> FileFormatError:
    """Return the error of one row; `line` counts from 1."""
    return FileFormatError(
        path, expected=f"{expected} on line {line}", received=repr(received)
    )


def parse_score(token: str) -> float:
    """Return a score; an empty field is NaN.

    Raises
    ------
    ValueError
        If it is no number.
    """
    return float(token) if token.strip() else math.nan


def parse_position(token: str) -> float:
    """Return a finite position.

    Raises
    ------
    ValueError
        If it is no number, or not finite.
    """
    value = float(token)
    if not math.isfinite(value):
        raise ValueError(f"expected a finite position, received {token}")
    return value


def format_number(value: float) -> str:
    """Return the shortest decimal that reads back as the same float64."""
    text = repr(float(value))
    return text.removesuffix(".0")


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


def group_by_micrograph(
    names: Sequence[str], yx: FloatArray, scores: FloatArray
) -> dict[str | None, ScoredCoordinates]:
    """Return the coordinates of every micrograph, in order of first appearance.

    Parameters
    ----------
    names : sequence of str, n
        Micrograph of each row.
    yx : array, shape (n, 2)
        Centres, pixels.
    scores : array, shape (n,)
        Scores; NaN where there is none.

    Returns
    -------
    dict of str to ScoredCoordinates
        As in `FilePicks`, without None. Rows of one micrograph keep their order.
    """
    if not names:
        return {}
    numbers: dict[str, int] = {}
    index = np.array([numbers.setdefault(name, len(numbers)) for name in names], int)
    order = np.argsort(index, kind="stable")
    edges = np.searchsorted(index[order], np.arange(1, len(numbers)))
    return {
        name: ScoredCoordinates.from_arrays(yx[rows], scores[rows])
        for name, rows in zip(numbers, np.split(order, edges), strict=True)
    }

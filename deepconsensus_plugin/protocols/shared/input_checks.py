# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a chosen set of coordinates, one sentence per fault."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pwem.objects import SetOfCoordinates, SetOfMicrographs

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.micrographs import MicrographHeader, read_header
from deepconsensus_plugin.core.io.pixel_sizes import describe_other_sizes

_LOOKED_AT = 20
"""Headers that are compared with the pixel size of a set."""


def describeLost(label: str, coordinates: SetOfCoordinates | None) -> list[str]:
    """Return a sentence if the set does not know its micrographs any more."""
    if coordinates is None or coordinates.getMicrographs() is not None:
        return []
    return [
        f"{label}: the set has lost its micrographs; choose the set of the protocol "
        "that made it."
    ]


def describeEmpty(label: str, coordinates: SetOfCoordinates) -> list[str]:
    """Return a sentence if there is nothing in the set."""
    if not coordinates.isEmpty():
        return []
    return [f"{label}: the set is empty; choose one with coordinates."]


def describeNoBox(label: str, coordinates: SetOfCoordinates) -> list[str]:
    """Return a sentence if the set has no box size."""
    if coordinates.getBoxSize():
        return []
    return [f"{label}: the set has no box size; import the coordinates again with one."]


def describeBadMicrographs(micrographs: SetOfMicrographs | None) -> list[str]:
    """Return a sentence if the set has no pixel size."""
    if micrographs is None or (micrographs.getSamplingRate() or 0) > 0:
        return []  # Scipion reports a missing one
    return [
        "Micrographs: the set has no pixel size, or one that is not above 0; import "
        "them again with the right one."
    ]


def describeLargeBox(
    label: str, boxSize: float | None, micrographs: SetOfMicrographs | None
) -> list[str]:
    """Return a sentence if a box, in pixels, is larger than the micrographs."""
    shape = shapeOf(micrographs)
    if boxSize is None or shape is None or boxSize <= min(shape):
        return []
    rows, columns = shape
    return [
        f"{label}: {boxSize:g} px is larger than the micrographs, which have {columns} "
        f"x {rows} px."
    ]


def shapeOf(micrographs: SetOfMicrographs | None) -> tuple[int, int] | None:
    """Return rows and columns of the first micrograph; None if it cannot be read."""
    first = None if micrographs is None else micrographs.getFirstItem()
    header = None if first is None else _readHeader(first.getFileName())
    return None if header is None else header.shape


def _readHeader(path: str) -> MicrographHeader | None:
    """Return a header; None if the step that reads the file will say what is wrong."""
    try:
        return read_header(path)
    except (OSError, FileFormatError):
        return None


def describeOtherPixelSize(micrographs: SetOfMicrographs | None) -> list[str]:
    """Return a sentence if headers of micrographs say another pixel size."""
    if micrographs is None or not micrographs.getSamplingRate():
        return []
    files = [each.getFileName() for each in islice(micrographs.iterItems(), _LOOKED_AT)]
    headers = {
        Path(file).name: header.pixel_size_A
        for file in files
        if (header := _readHeader(file)) is not None
    }
    said = describe_other_sizes(headers, micrographs.getSamplingRate())
    return [sentence.removeprefix("WARNING: ") for sentence in said]

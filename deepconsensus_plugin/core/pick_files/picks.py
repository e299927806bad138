# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry of pick file formats, with one function to read and one to write.

Adding a format is one module with a `PickCodec` and one line in `PickFormat`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files import (
    cryolo_cbox,
    cryosparc_cs,
    csv_table,
    eman2_json,
    eman_box,
    relion_star,
    topaz_table,
    xmipp_pos,
)
from deepconsensus_plugin.core.pick_files.codec import FilePicks, PickCodec, Shape
from deepconsensus_plugin.core.pick_files.listed_files import with_listed
from deepconsensus_plugin.core.pick_files.ranges import (
    check_lengths,
    refused_as_format,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_HEAD_BYTES = 4096


class PickFormat(enum.Enum):
    """The formats of pick files; the value is the name that users write.

    Content is recognised in the order below. The number is that of the format's choice
    on forms, from 1; it never changes, and a new format takes the next one.
    """

    number: int
    label: str
    codec: PickCodec

    BOX = "box", 1, "EMAN .box", eman_box.CODEC
    EMAN2_JSON = "json", 2, "EMAN2 _info.json", eman2_json.CODEC
    POS = "pos", 3, "Xmipp .pos", xmipp_pos.CODEC
    STAR = "star", 4, "RELION .star", relion_star.CODEC
    CBOX = "cbox", 6, "crYOLO .cbox", cryolo_cbox.CODEC
    CS = "cs", 8, "cryoSPARC .cs", cryosparc_cs.CODEC
    TOPAZ = "topaz", 7, "Topaz table", topaz_table.CODEC  # CSV would take it too
    CSV = "csv", 5, "CSV", csv_table.CODEC

    def __new__(
        cls, value: str, number: int, label: str, codec: PickCodec
    ) -> PickFormat:
        """Make the name the value, and keep the rest beside it."""
        member = object.__new__(cls)
        member._value_ = value
        member.number, member.label, member.codec = number, label, codec
        return member

    @classmethod
    def by_number(cls) -> list[PickFormat]:
        """Return all formats in the order in which users see them."""
        return sorted(cls, key=lambda kind: kind.number)

    @property
    def extension(self) -> str:
        """The extension that files are written with, with the dot."""
        return self.codec.extensions[0]

    @classmethod
    def of(cls, path: Path | str) -> PickFormat:
        """Return the format of an existing file, by its extension, else its content.

        Content decides where formats share an extension, where there is none, and
        where none of those that have the extension know it.

        Raises
        ------
        FileFormatError
            If neither says.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        by_extension = [kind for kind in cls if suffix in kind.codec.extensions]
        if len(by_extension) == 1:
            return by_extension[0]
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        # A head that ends within a line must not hide what the whole lines are.
        whole_lines = head[: head.rfind(b"\n") + 1] or head
        kinds: list[PickFormat] = [*by_extension, *cls]
        for kind in kinds:
            if kind.codec.recognise(whole_lines):
                return kind
        if by_extension and not head.strip():
            return by_extension[0]
        raise FileFormatError(
            path,
            expected=f"a pick file ({', '.join(kind.value for kind in cls)})",
            received=f"unknown content, which starts with {head[:32]!r}",
        )


def read_picks(
    path: Path | str,
    *,
    pick_format: PickFormat | None = None,
) -> dict[str | None, ScoredCoordinates]:
    """Read the box centres of one pick file, with the scores the picker gave.

    Parameters
    ----------
    path : Path or str
        The file.
    pick_format : PickFormat, optional
        By default the file says.

    Returns
    -------
    dict of str or None to ScoredCoordinates
        By micrograph as the file names it; None is the micrograph the file is named
        after. Scores are NaN where the file has none. An empty file gives None with no
        coordinates; an EMAN2 file without ``boxes`` gives an empty dict.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is of another format or a row is bad; names the line.
    """
    picks = read_pick_file(path, pick_format=pick_format)
    return dict(picks.coordinates)


def read_pick_file(
    path: Path | str,
    *,
    pick_format: PickFormat | None = None,
    pixel_size: float | None = None,
) -> FilePicks:
    """Read as `read_picks` does, and keep all else that the file tells.

    Lengths in Å take `pixel_size`, Å per pixel of the file, where it does not tell it.
    """
    path = Path(path)
    found = _read(path, pick_format, pixel_size)
    if not found.listed:
        return found
    return with_listed(found, lambda file: _read(file, None, pixel_size))


def _read(
    path: Path, pick_format: PickFormat | None, pixel_size: float | None
) -> FilePicks:
    """Return what a file holds, in ranges; files that it lists are not read."""
    with refused_as_format(path):
        found = (pick_format or PickFormat.of(path)).codec.read(path)
        found = found.in_pixels(pixel_size)
    check_lengths(path, found)
    return found


def write_picks(
    path: Path | str,
    picks: ScoredCoordinates,
    *,
    box_size: int,
    pick_format: PickFormat,
    micrograph: str,
) -> None:
    """Write the picks of one micrograph to one file.

    Parameters
    ----------
    path : Path or str
        The file; replaced if it is there.
    picks : ScoredCoordinates
        Box centres, pixels of the micrograph. ``.pos`` and Topaz' tables hold whole
        pixels.
    box_size : int
        Pixels; for formats that record it.
    pick_format : PickFormat
        The format.
    micrograph : str
        Name of the micrograph, for formats that record it.

    Raises
    ------
    ValueError
        If the format holds all micrographs in one file only.
    """
    write = pick_format.codec.write
    if write is None:
        able = [kind.value for kind in PickFormat if kind.codec.write]
        expected = f"a format of one micrograph a file ({', '.join(able)})"
        raise ValueError(f"expected {expected}, received {pick_format.value}")
    write(Path(path), micrograph, picks, box_size)


def write_merged_picks(
    path: Path | str,
    coordinates: Mapping[str, ScoredCoordinates],
    *,
    box_size: int,
    pick_format: PickFormat,
    shapes: Mapping[str, Shape] | None = None,
) -> None:
    """Write the picks of all micrographs to one file.

    Parameters
    ----------
    path : Path or str
        The file; replaced if it is there.
    coordinates : mapping of micrograph name to ScoredCoordinates
        Box centres, pixels. A micrograph without picks leaves no trace in the file.
    box_size : int
        Pixels; for formats that record it.
    pick_format : PickFormat
        One that can name micrographs: STAR, CSV, Topaz or cryoSPARC.
    shapes : mapping of micrograph name to tuple of int, optional
        Rows and columns, pixels; cryoSPARC's positions are fractions of them.

    Raises
    ------
    ValueError
        If the format holds one micrograph a file, or cannot do without a shape.
    """
    write = pick_format.codec.write_merged
    if write is None:
        able = [kind.value for kind in PickFormat if kind.codec.write_merged]
        expected = f"a format that holds several micrographs ({', '.join(able)})"
        raise ValueError(f"expected {expected}, received {pick_format.value}")
    write(Path(path), coordinates, box_size, shapes or {})

# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of what pick files hold, checked at the door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError, OutOfRangeError
from deepconsensus_plugin.core.limits import COARSEST_A, FARTHEST_PX
from deepconsensus_plugin.core.pick_files.codec import FilePicks


@contextmanager
def refused_as_format(path: Path) -> Iterator[None]:
    """Raise FileFormatError for a position of the file that is out of its range.

    Readers check what a line says; a sum of two of its values can still be too large.
    """
    try:
        yield
    except OutOfRangeError as error:
        raise FileFormatError(
            path, expected=error.expected, received=error.received
        ) from error


def check_lengths(path: Path, found: FilePicks) -> None:
    """Refuse box sizes and pixel sizes that none can have.

    Raises
    ------
    FileFormatError
        If there is one; names it.
    """
    lengths = {
        "a box size in pixels": (found.box_size, FARTHEST_PX),
        "a pixel size in Å": (found.in_angstrom.pixel_size, COARSEST_A),
        "a pixel size of the movies in Å": (
            found.in_angstrom.least_pixel_size,
            COARSEST_A,
        ),
    }
    for name, (value, most) in lengths.items():
        if value is not None and not 0 < value <= most:
            raise FileFormatError(
                path,
                expected=f"{name} above 0 and up to {most:g}",
                received=f"{value:g}",
            )

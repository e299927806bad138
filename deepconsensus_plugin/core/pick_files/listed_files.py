# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks of files that another file lists, as RELION's ``autopick.star`` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.codec import FilePicks
from deepconsensus_plugin.core.types import ScoredCoordinates


def with_listed(found: FilePicks, read: Callable[[Path], FilePicks]) -> FilePicks:
    """Return the picks of the files that a file lists, whatever their formats.

    Parameters
    ----------
    found : FilePicks
        What the file holds that lists others.
    read : callable
        Path to what a file holds.

    Raises
    ------
    FileFormatError
        If a file has not the picks of one micrograph, or is a list itself.
    """
    coordinates: dict[str | None, ScoredCoordinates] = {}
    sizes: list[float] = []
    remarks: dict[str, None] = dict.fromkeys(found.remarks)
    for micrograph, path in found.listed.items():
        part = read(path)
        if part.listed or len(part.coordinates) != 1:
            raise FileFormatError(
                path,
                expected="picks of one micrograph, as the file that lists it says",
                received=f"a list of {len(part.listed)} files"
                if part.listed
                else f"{len(part.coordinates)} micrographs",
            )
        (coordinates[micrograph],) = part.coordinates.values()
        sizes += [] if part.box_size is None else [part.box_size]
        remarks.update(dict.fromkeys(part.remarks))
    return replace(
        found,
        coordinates=coordinates,
        box_size=float(np.median(sizes)) if sizes else None,
        remarks=tuple(remarks),
    )

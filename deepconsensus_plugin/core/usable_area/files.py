# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks as MRC files of 8 bits, which Scipion and other programs show.

The header has the pixel size of the mask; its first label tells the shape of the
micrograph, which the mask may overlap, and the binning. A second one tells which inputs
the mask was made from.
"""

from __future__ import annotations

import re
from pathlib import Path

import mrcfile
import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.core.usable_area.area import UsableArea

_ORIGIN = "made from {}"
_ORIGIN_PATTERN = re.compile(rb"made from (\w+)")
_LABEL = "usable area of {} x {} pixels (rows x columns), binning {}"
_LABEL_PATTERN = re.compile(rb"usable area of (\d+) x (\d+) pixels .*binning (\d+)")
_LABELS_FROM, _LABELS_TO = 224, 1024
"""Bytes of the header of an MRC file that hold labels."""


def area_path(folder: Path | str, name: str) -> Path:
    """Return the path of the mask of a micrograph.

    Parameters
    ----------
    folder : Path or str
        Folder of the masks.
    name : str
        Name of the micrograph, with extension.
    """
    return Path(folder) / f"{Path(name).name}.mask.mrc"


def write_area(
    path: Path | str, area: UsableArea, sampling_rate: float, *, made_from: str = ""
) -> None:
    """Write a mask as MRC of mode 0, whole or not at all.

    Parameters
    ----------
    path : Path or str
        The file; its folder must exist.
    area : UsableArea
        The mask; pixels are codes of `AreaKind`.
    sampling_rate : float
        Of the micrograph, Å/px.
    made_from : str
        Digest of the inputs, for `read_origin`; up to 64 letters.
    """
    with (
        whole_file(path) as partial,
        mrcfile.new(partial, area.kinds.astype(np.int8), overwrite=True) as file,
    ):
        file.voxel_size = sampling_rate * area.binning
        file.header.label[0] = _LABEL.format(*area.shape_px, area.binning)
        file.header.label[1] = _ORIGIN.format(made_from) if made_from else ""
        file.header.nlabl = 2 if made_from else 1


def read_area(path: Path | str) -> UsableArea:
    """Read a mask that `write_area` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is no such mask.
    """
    path = Path(path)
    kinds = open_micrograph(path)
    found = _LABEL_PATTERN.search(_labels(path))
    if found is None:
        raise FileFormatError(
            path,
            expected="a mask that this program wrote, whose label tells the binning",
            received="another image",
        )
    rows, columns, binning = map(int, found.groups())
    try:
        return UsableArea(np.asarray(kinds, np.uint8), binning, (rows, columns))
    except ValueError as error:
        raise FileFormatError(
            path, expected="a mask of kinds of area", received=str(error)
        ) from error


def read_outlines(
    folder: Path | None, name: str, shape: tuple[int, int]
) -> list[FloatArray]:
    """Return the outlines of a micrograph's mask, as `UsableArea.outlines`.

    Parameters
    ----------
    folder : Path or None
        Folder of the masks; None where none were made.
    name : str
        Name of the micrograph; without a mask of its own it has no outlines.
    shape : tuple of int
        Rows and columns of the micrograph, or of another version of it with other
        pixels, which outlines are then in.
    """
    if folder is None or not (path := area_path(folder, name)).is_file():
        return []
    area = read_area(path)
    scale = np.divide(shape, area.shape_px)
    return [line * scale for line in area.outlines()]


def read_origin(path: Path | str) -> str | None:
    """Return the digest of what a mask was made from; None without file or digest."""
    path = Path(path)
    if not path.is_file():
        return None
    found = _ORIGIN_PATTERN.search(_labels(path))
    return None if found is None else found.group(1).decode()


def _labels(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LABELS_TO)[_LABELS_FROM:]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Table of averages and of what they tell about each candidate, with its file."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np

from deepconsensus_plugin.core.averages.polar import Float32Array
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.hdf5 import whole_hdf5
from deepconsensus_plugin.core.io.hdf5_reading import opened_hdf5, read_array
from deepconsensus_plugin.core.types import FloatArray, IntArray

_KIND = "averages"
_SCHEMA = 1
_NUMBERS = ("pixel_size_A", "diameter_A")


@dataclass(frozen=True, eq=False)
class AveragesTable:
    """Averages, k, and the likeness of n candidates to them.

    Parameters
    ----------
    average : array, shape (n,), int
        The average that each candidate looks like most; -1 where there is no image.
    angle_deg : array, shape (n,)
        Rotation that brings the box onto it, from the x axis to the y axis; NaN.
    offset_yx : array, shape (n, 2)
        Centre of the particle by the average, from the candidate, pixels; NaN.
    amplitude : array, shape (n,)
        How much the box holds of an average that it is no part of; NaN.
    correlation : array, shape (n,)
        The same relative to all that the box holds, -1 … 1; NaN.
    images : array, shape (k, size, size), float32
        The averages, particles white; the one with most candidates first.
    resolution_A : array, shape (k,)
        Resolution by an independent half; infinity where there is none.
    pixel_size_A : float
        Of the images.
    diameter_A : float
        Diameter of the mask within which boxes were aligned.
    """

    average: IntArray
    angle_deg: FloatArray
    offset_yx: FloatArray
    amplitude: FloatArray
    correlation: FloatArray
    images: Float32Array
    resolution_A: FloatArray
    pixel_size_A: float
    diameter_A: float

    @property
    def extent_A(self) -> float:
        """Side of the images, Å."""
        return self.images.shape[-1] * self.pixel_size_A

    @property
    def n_members(self) -> IntArray:
        """Number of candidates of each average, shape (k,)."""
        return np.bincount(self.average[self.average >= 0], minlength=len(self.images))

    def take(self, rows: IntArray) -> AveragesTable:
        """Return the same averages with some candidates, or in another order."""
        names = ("average", "angle_deg", "offset_yx", "amplitude", "correlation")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


_ARRAYS = tuple(f.name for f in fields(AveragesTable) if f.name not in _NUMBERS)


def write_averages(path: Path, table: AveragesTable) -> None:
    """Write a table as HDF5, and its images beside it (`images_path`)."""
    with (
        whole_file(images_path(path)) as partial,
        mrcfile.new(partial, overwrite=True) as stack,
    ):
        stack.set_data(table.images)
        stack.set_image_stack()
        stack.voxel_size = table.pixel_size_A
    with whole_hdf5(path, is_sealed=True) as file:
        file.attrs.update(kind=_KIND, schema=_SCHEMA)
        file.attrs.update({name: getattr(table, name) for name in _NUMBERS})
        for name in _ARRAYS:
            file.create_dataset(name, data=getattr(table, name))


def images_path(path: Path) -> Path:
    """Return the path of the MRC stack of images beside a table."""
    return path.with_suffix(".mrcs")


def forget_averages(path: Path) -> None:
    """Remove the files of an earlier run."""
    for each in (path, images_path(path)):
        each.unlink(missing_ok=True)


def _check_table(table: AveragesTable) -> None:
    """Refuse columns of a file that do not fit together.

    Raises
    ------
    ValueError
        If it is so.
    """
    n, k = table.average.size, len(table.images)
    shapes = {"offset_yx": (n, 2), "resolution_A": (k,)}
    for name in _ARRAYS:
        shape = getattr(table, name).shape
        if name == "images":
            fits = len(shape) == 3 and shape[1] == shape[2]
        else:
            fits = shape == shapes.get(name, (n,))
        if not fits:
            raise ValueError(f"{name} of shape {shape}, {n} candidates, {k} averages")
    if table.average.dtype.kind not in "iu" or not _are_rows(table.average, k):
        raise ValueError(f"candidates of averages that are none of {k}")
    if not all(0 < getattr(table, name) < np.inf for name in _NUMBERS):
        raise ValueError(f"{', '.join(_NUMBERS)} that are no sizes")


def _are_rows(index: IntArray, n: int) -> bool:
    return bool(((index >= -1) & (index < n)).all())


def read_amplitude(path: Path, n_candidates: int) -> FloatArray | None:
    """Return the amplitudes of so many candidates; None where there is no file.

    Raises
    ------
    ValueError
        If the file is of another number of candidates.
    """
    return read_averages(path, n_candidates).amplitude if path.is_file() else None


def read_averages(path: Path, n_candidates: int | None = None) -> AveragesTable:
    """Return what `write_averages` wrote.

    Parameters
    ----------
    path : Path
        The file.
    n_candidates : int, optional
        Number of candidates that it must be of; None: any.

    Raises
    ------
    FileFormatError
        If the file is not one of these.
    ValueError
        If it is of another number of candidates.
    """
    expected = f"an HDF5 file of {_KIND}, schema {_SCHEMA}"
    with opened_hdf5(path, expected) as file:
        found = (file.attrs["kind"], file.attrs["schema"])
        if found != (_KIND, _SCHEMA):
            raise FileFormatError(path, expected=expected, received=f"{found}")
        values: dict[str, Any] = {name: read_array(file, name) for name in _ARRAYS}
        values |= {name: float(file.attrs[name]) for name in _NUMBERS}
        table = AveragesTable(**values)
        _check_table(table)
    if n_candidates not in (None, len(table.average)):
        raise ValueError(
            f"{path}: expected {n_candidates} candidates, received "
            f"{len(table.average)}. Restart the run"
        )
    return table

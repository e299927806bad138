# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF5 files of coordinates and candidates, fast for millions of rows.

One flat array a column for all micrographs, with offsets where each begins; never one
dataset a micrograph. Attributes ``kind`` and ``schema`` say what a file is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.hdf5 import whole_hdf5
from deepconsensus_plugin.core.io.hdf5_reading import (
    opened_hdf5,
    read_array,
    read_names,
)
from deepconsensus_plugin.core.limits import FARTHEST_PX
from deepconsensus_plugin.core.types import IntArray, ScoredCoordinates

SCHEMA = 1
_NAMES = ("micrographs", "pickers")
_LATER = ("bad_micrographs", "vote_of")
_AREA = "area_distance_px"  # files of early versions have neither these nor this
_ARRAYS = tuple(
    item.name for item in fields(Candidates) if item.name not in (*_NAMES, *_LATER)
)


def write_coordinates(
    path: Path | str, coordinates: Mapping[str, ScoredCoordinates]
) -> None:
    """Write coordinates by micrograph.

    Parameters
    ----------
    path : Path or str
        The file; replaced if it is there.
    coordinates : mapping of micrograph name to ScoredCoordinates
        Pixels; n in all. Order and empty micrographs are kept.
    """
    parts = list(coordinates.values())
    offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    yx = np.concatenate([np.zeros((0, 2)), *(part.yx for part in parts)])
    scores = np.concatenate([np.zeros(0), *(part.scores for part in parts)])
    with _created(path, "coordinates") as file:
        _write_names(file, "micrographs", list(coordinates))
        for name, array in (("offsets", offsets), ("yx", yx), ("scores", scores)):
            file.create_dataset(name, data=array)


def read_coordinates(path: Path | str) -> dict[str, ScoredCoordinates]:
    """Return what `write_coordinates` wrote.

    Raises
    ------
    FileFormatError
        If the file is not one of these.
    """
    with _opened(path, "coordinates") as file:
        names = read_names(file, "micrographs")
        offsets = read_array(file, "offsets").astype(np.int64)
        yx, scores = (read_array(file, name) for name in ("yx", "scores"))
        _check_offsets(offsets, n_names=len(names), n_rows=len(yx))
        rows = map(slice, offsets[:-1], offsets[1:])
        return {
            name: ScoredCoordinates(yx[part], scores[part])
            for name, part in zip(names, rows, strict=True)
        }


def _check_offsets(offsets: IntArray, *, n_names: int, n_rows: int) -> None:
    """Refuse offsets that leave rows out, or names.

    Raises
    ------
    ValueError
        If they are so.
    """
    ascend = bool((np.diff(offsets) >= 0).all())
    if len(offsets) != n_names + 1 or not ascend or offsets[0] or offsets[-1] != n_rows:
        raise ValueError(f"offsets of {len(offsets)} parts for {n_rows} rows")


def write_candidates(path: Path | str, candidates: Candidates) -> None:
    """Write the table of candidates; `path` is replaced if it is there."""
    with _created(path, "candidates") as file:
        for name in (*_NAMES, *_LATER):
            _write_names(file, name, getattr(candidates, name))
        for name in _ARRAYS:
            file.create_dataset(name, data=getattr(candidates, name))


def read_candidates(path: Path | str) -> Candidates:
    """Return what `write_candidates` wrote.

    Raises
    ------
    FileFormatError
        If the file is not one of these.
    """
    with _opened(path, "candidates") as file:
        arrays = [name for name in _ARRAYS if name != _AREA or name in file]
        table: dict[str, Any] = {name: read_array(file, name) for name in arrays}
        names = [*_NAMES, *({*_LATER} & {*file})]
        table |= {name: tuple(read_names(file, name)) for name in names}
        _check_candidates(table)
        return Candidates(**table)


def _check_candidates(table: Mapping[str, Any]) -> None:
    """Refuse columns with values that cannot be.

    Raises
    ------
    ValueError
        If there is one.
    """
    index, n = table["micrograph_index"], len(table["micrographs"])
    if index.dtype.kind not in "iu" or not ((index >= 0) & (index < n)).all():
        raise ValueError(f"candidates on micrographs that are none of {n}")
    if not (np.abs(table["yx"]) <= FARTHEST_PX).all():
        raise ValueError(f"positions that are not within {FARTHEST_PX:g} px")
    if np.isinf(table["picker_scores"]).any():
        raise ValueError("infinite scores")
    if any(table[name].dtype != np.bool_ for name in ("found", "observed")):
        raise ValueError("votes that are neither true nor false")


def _write_names(file: Any, name: str, values: Sequence[str]) -> None:
    file.create_dataset(name, data=list(values), dtype=h5py.string_dtype())


@contextmanager
def _created(path: Path | str, kind: str) -> Iterator[Any]:
    with whole_hdf5(path, is_sealed=True) as file:
        file.attrs["kind"] = kind
        file.attrs["schema"] = SCHEMA
        yield file


@contextmanager
def _opened(path: Path | str, kind: str) -> Iterator[Any]:
    """Yield an HDF5 file of this kind; what is missing in it is a format error."""
    path = Path(path)
    expected = f"an HDF5 file of {kind}, schema {SCHEMA}"
    with opened_hdf5(path, expected) as file:
        is_kind = file.attrs["kind"] == kind and file.attrs["schema"] == SCHEMA
        if not is_kind:
            received = f"{file.attrs['kind']}, schema {file.attrs['schema']}"
            raise FileFormatError(path, expected=expected, received=received)
        yield file

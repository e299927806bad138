# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF5 files of tables: opened and read with what is wrong in them as format errors.

Nothing is read that is not in the file: links to other files, and arrays that are
larger than what is stored of them, are refused.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.io.seal import is_damaged
from deepconsensus_plugin.core.io.untrusted import as_format_errors

_HEAP, _HEAP_HEADER = b"GCOL\x01\0\0\0", 16
"""Mark of a collection of texts, and the bytes before its objects."""

_OBJECT = struct.Struct("<HH4xQ")
"""Index, references and bytes of an object; index 0 is what is free."""

_MOST_SEARCHED = 2**28
"""Bytes of a file that is searched for heaps."""


@contextmanager
def opened_hdf5(path: Path, expected: str) -> Iterator[Any]:
    """Yield an open file; what is missing or wrong in it is a format error.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What it is a file of, for errors.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        For whatever else is met while the file is open.
    """
    with as_format_errors(path, expected):
        if is_damaged(path):
            raise ValueError("a file that was changed or damaged since it was written")
        _check_heaps(path)
        with h5py.File(path, "r") as file:
            yield file


def _check_heaps(path: Path) -> None:
    """Refuse heaps of texts on which the library would never come to an end.

    Raises
    ------
    ValueError
        If there is one.
    """
    if not 0 < path.stat().st_size <= _MOST_SEARCHED:
        return
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        start = content.find(_HEAP)
        while start >= 0:
            _check_heap(content, start)
            start = content.find(_HEAP, start + 1)


def _check_heap(content: mmap.mmap, start: int) -> None:
    """Refuse a heap whose objects do not fill it one after the other."""
    size = int.from_bytes(content[start + 8 : start + 16], "little")
    at, end = start + _HEAP_HEADER, start + size
    if end > len(content):
        raise ValueError("a heap that ends behind the file")
    while end - at >= _HEAP_HEADER:
        index, _, length = _OBJECT.unpack_from(content, at)
        step = _OBJECT.size + -(-length // 8) * 8 if index else length
        if step < _HEAP_HEADER or step > end - at:
            raise ValueError("a damaged heap of texts")
        at += step


def read_array(file: Any, name: str) -> NDArray[Any]:
    """Return an array of numbers of an open file.

    Raises
    ------
    ValueError
        If there is none, or not all of it is stored in the file.
    """
    found = _stored(file, name)
    if found.dtype.kind not in "biuf":
        raise ValueError(f"{name}: {found.dtype} instead of numbers")
    values: NDArray[Any] = np.asarray(found[...])
    return values


def read_names(file: Any, name: str) -> list[str]:
    """Return a list of names of an open file; errors as `read_array`."""
    return [str(value) for value in _stored(file, name).asstr()[:]]


def _stored(file: Any, name: str) -> Any:
    """Return a dataset that is in the file as a whole, unpacked."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"no {name} in the file itself")
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{name} is no array")
    n_bytes = found.dtype.itemsize * int(np.prod(found.shape, dtype=object))
    if found.is_virtual or found.external or found.id.get_storage_size() < n_bytes:
        raise ValueError(f"{name} of shape {found.shape}, of which the file has less")
    return found

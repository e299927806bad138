# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays in NumPy's files: written whole or not at all, and read without trusting them.

`numpy.load` allocates what a header asks for, and unpacks whatever an archive holds.
Here nothing is made that is larger than the file, or than `MOST_UNPACKED` where it is
compressed; arrays that need unpickling are refused.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.untrusted import MOST_UNPACKED, as_format_errors

NUMBERS, TEXTS = "biuf", "U"
"""NumPy's letters for kinds of types."""

_npy: Any = npy
_HEADERS = {(1, 0): _npy.read_array_header_1_0, (2, 0): _npy.read_array_header_2_0}
_SUFFIX = ".npy"


def write_array(path: Path | str, array: NDArray[Any]) -> None:
    """Write an array, which `numpy.load` reads."""
    with whole_file(path) as partial, partial.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def read_array_file(
    path: Path, expected: str, *, kinds: str = NUMBERS, n: int | None = None
) -> NDArray[Any]:
    """Return the array of a ``.npy`` file, shape (n,).

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What it is an array of, for errors.
    kinds : str
        Letters of the kinds of types that it can have.
    n : int, optional
        Number of rows that it must have; None: any.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it holds something else, or less than its header says.
    """
    with as_format_errors(path, expected), path.open("rb") as file:
        array = _read_array(file, path.stat().st_size)
        if array.dtype.kind not in kinds or array.ndim != 1:
            raise ValueError(f"an array of shape {array.shape} of {array.dtype}")
        if n not in (None, len(array)):
            raise FileFormatError(
                path, expected=f"{n} {expected}", received=str(len(array))
            )
        return array


class ArrayArchive:
    """Arrays by name in an open ``.npz`` file; what is wrong with one is a ValueError.

    Parameters
    ----------
    archive : ZipFile
        The file.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        entries = archive.infolist()
        self._entries = {each.filename.removesuffix(_SUFFIX): each for each in entries}

    @property
    def names(self) -> list[str]:
        """Names of all arrays, in their order."""
        return [*self._entries]

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array.

        Raises
        ------
        ValueError
            If there is none, or it cannot be read.
        """
        if name not in self._entries:
            raise ValueError(f"no {name}")
        entry = self._entries[name]
        is_packed = entry.compress_type != zipfile.ZIP_STORED
        if is_packed and entry.file_size > MOST_UNPACKED:
            raise ValueError(f"{name}: {entry.file_size} bytes when unpacked")
        if not is_packed and entry.file_size != entry.compress_size:
            raise ValueError(f"{name}: {entry.file_size} bytes, of which it has others")
        with self._archive.open(entry) as file:
            return _read_array(file, entry.file_size)


@contextmanager
def opened_arrays(path: Path, expected: str) -> Iterator[ArrayArchive]:
    """Yield the arrays of an ``.npz`` file; what is wrong in them is a format error.

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
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield ArrayArchive(archive)


def read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, whether columns come first, and the type of an array.

    Parameters
    ----------
    file : binary file
        At the start of the array; afterwards it is behind the header.

    Raises
    ------
    ValueError, LookupError, SyntaxError
        If there is no header of an array, or it is one of objects or of nothing.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of headers of Python 2
        shape, is_fortran, kind = _HEADERS[_npy.read_magic(file)](file)
    if kind.hasobject or not kind.itemsize:
        raise ValueError(f"an array of shape {shape} of {str(kind)[:80]}")
    return shape, is_fortran, kind


def _read_array(file: Any, size: int) -> NDArray[Any]:
    """Return the array that an open file of so many bytes holds, and nothing else."""
    shape, is_fortran, kind = read_npy_header(file)
    n_bytes = kind.itemsize * int(np.prod(shape, dtype=object))
    if min(shape, default=1) < 0 or file.tell() + n_bytes != size:
        raise ValueError(
            f"an array of shape {shape} of {kind} in a file of {size} bytes"
        )
    content = bytearray(file.read(n_bytes))
    if len(content) != n_bytes:
        raise ValueError(f"{len(content)} bytes for {n_bytes}")
    order = "F" if is_fortran else "C"
    return np.frombuffer(content, kind).reshape(shape, order=order)  # type: ignore[call-overload, no-any-return]


def texts_of(array: NDArray[Any]) -> tuple[str, ...]:
    """Return a list of texts of an archive.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if array.dtype.kind not in TEXTS or array.ndim != 1:
        raise ValueError(f"an array of shape {array.shape} of {array.dtype}, not texts")
    texts: list[str] = array.tolist()
    "".join(texts).encode()  # half a character is none
    return tuple(texts)

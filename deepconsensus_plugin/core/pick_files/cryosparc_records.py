# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of cryoSPARC's ``.cs`` files: NumPy's format, read without trusting it.

The header tells how many records there are; nothing is allocated for more than the file
holds. Records that need unpickling are refused: that would run code from the file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.arrays import read_npy_header
from deepconsensus_plugin.core.io.untrusted import PARSER_ERRORS
from deepconsensus_plugin.core.types import FloatArray

_MAGIC = b"\x93NUMPY"
_COMPRESSED = re.compile(rb"[\x80-\xff]CSDAT")
"""cryosparc-tools counts up the first byte: \\x94, and \\x95 since version 4.4."""

_EXPECTED = "a .cs file of NumPy records"
_NUMBERS = "iuf"

RecordType = np.dtype[Any]
Records = NDArray[Any]


def is_records(head: bytes) -> bool:
    """Return whether a file that starts like this is one of NumPy records."""
    return head.startswith(_MAGIC)


def is_compressed(head: bytes) -> bool:
    """Return whether a file that starts like this is one of compressed columns."""
    return _COMPRESSED.match(head) is not None


def load_records(path: Path) -> Records:
    """Return the records of a ``.cs`` file, shape (n,).

    Raises
    ------
    FileFormatError
        If they are compressed columns, need unpickling, are fewer than the header says,
        or are none.
    """
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
        if is_compressed(head):
            raise FileFormatError(
                path,
                expected=_EXPECTED,
                received="cryoSPARC's compressed columns (CSDAT). Save it with "
                "cryosparc-tools, Dataset.load(…).save(…), which writes NumPy records",
            )
        if not is_records(head):
            received = f"other content, which starts with {head!r}"
            raise FileFormatError(path, expected=_EXPECTED, received=received)
        file.seek(0)
        kind, n = _read_header(path, file)
        return np.fromfile(file, kind, n)


def _read_header(path: Path, file: IO[bytes]) -> tuple[RecordType, int]:
    """Return the type and the number of the records that follow."""
    try:
        shape, _, kind = read_npy_header(file)
    except PARSER_ERRORS as error:
        raise FileFormatError(path, expected=_EXPECTED, received=str(error)) from error
    if len(shape) != 1:
        received = f"an array of shape {shape} of {str(kind)[:80]}"
        raise FileFormatError(path, expected=_EXPECTED, received=received)
    there = (path.stat().st_size - file.tell()) // kind.itemsize
    if not 0 <= shape[0] <= there:
        raise FileFormatError(
            path,
            expected=f"{_EXPECTED}, {shape[0]} as the header says",
            received=f"bytes for {there}",
        )
    return kind, shape[0]


def field_names(records: Records) -> tuple[str, ...]:
    """Return the names of the fields; none of an array without fields."""
    return records.dtype.names or ()


def path_texts(path: Path, records: Records, field: str) -> list[str]:
    """Return a field of paths as text; ``>`` marks those relative to the file.

    Raises
    ------
    FileFormatError
        If the field of the file `path` holds something else.
    """
    paths = records[field]
    if paths.dtype.kind not in "SU" or paths.ndim != 1:
        received = f"{paths.dtype} of shape {paths.shape}"
        raise FileFormatError(path, expected=f"text in {field}", received=received)
    try:
        if paths.dtype.kind == "S":
            paths = np.char.decode(paths)
        texts: list[str] = paths.tolist()
        "".join(texts).encode()  # half a character is none
    except ValueError as error:
        raise FileFormatError(
            path, expected=f"text in UTF-8 in {field}", received=str(error)
        ) from error
    return [text.removeprefix(">") for text in texts]


def numbers_of(
    path: Path, records: Records, field: str, *, shape: tuple[int, ...] = ()
) -> FloatArray:
    """Return a field of numbers, shape ``(n, *shape)``, float64.

    Raises
    ------
    FileFormatError
        If the field of the file `path` holds something else.
    """
    values = records[field]
    if values.dtype.kind not in _NUMBERS or values.shape[1:] != shape:
        raise FileFormatError(
            path,
            expected=f"numbers of shape {('n', *shape)} in {field}",
            received=f"{values.dtype} of shape {values.shape}",
        )
    with np.errstate(all="ignore"):  # ranges are checked by the caller
        return np.asarray(values, dtype=np.float64)

# SPDX-License-Identifier: GPL-3.0-or-later
"""File ``model.keras``: an archive whose weights are read, and nothing else of it.

The description of the network that Keras puts beside them, which can name code to run,
is never looked at: networks are built from their cards. Sizes are checked before
anything is unpacked.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from deepconsensus_plugin.core.errors import ModelFormatError
from deepconsensus_plugin.core.io.untrusted import MOST_UNPACKED, PARSER_ERRORS

_WEIGHTS = "model.weights.h5"
_MEMBERS = {_WEIGHTS, "config.json", "metadata.json"}
_EXPECTED = "a Keras archive of weights"
_END = struct.Struct("<4s4H2LH")
_END_MARK, _LARGE_MARK = b"PK\x05\x06", b"PK\x06\x07"
_LONGEST_COMMENT, _LONGEST_DIRECTORY = 2**16, 2**16


def check_archive(path: Path) -> None:
    """Refuse a file that is no archive of one file of weights.

    Raises
    ------
    ModelFormatError
        If it is so; nothing is unpacked.
    """
    with _opened(path) as archive:
        _weights_of(path, archive)


def read_archive(path: Path) -> bytes:
    """Return the file of weights, in HDF5.

    Raises
    ------
    ModelFormatError
        As `check_archive`, and if it cannot be unpacked.
    """
    with _opened(path) as archive:
        entry = _weights_of(path, archive)
        try:
            return archive.read(entry)
        except PARSER_ERRORS as error:
            raise _damaged(path, str(error)) from error


def _damaged(path: Path, received: str) -> ModelFormatError:
    return ModelFormatError(
        path,
        expected=_EXPECTED,
        received=f"a file that is damaged or another ({received[:200]}). Copy it again "
        "from the original",
    )


def _opened(path: Path) -> zipfile.ZipFile:
    _check_directory(path)
    try:
        return zipfile.ZipFile(path)
    except PARSER_ERRORS as error:
        raise _damaged(path, str(error)) from error


def _check_directory(path: Path) -> None:
    """Refuse a list of files that is long, before it is read."""
    size = path.stat().st_size
    if size > MOST_UNPACKED:
        expected = f"{_EXPECTED} of at most {MOST_UNPACKED} bytes"
        raise ModelFormatError(path, expected=expected, received=f"{size} bytes")
    with path.open("rb") as file:
        file.seek(max(0, size - _LONGEST_COMMENT - _END.size))
        tail = file.read()
    start = tail.rfind(_END_MARK)
    if start < 0 or len(tail) - start < _END.size:
        raise _damaged(path, "no archive")
    length = _END.unpack_from(tail, start)[5]
    if length > _LONGEST_DIRECTORY or _LARGE_MARK in tail[:start][-20:]:
        raise _damaged(path, "a list of many files")


def _weights_of(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the entry of the weights of an archive with nothing unknown in it."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if strange := [name for name in names if name not in _MEMBERS]:
        raise ModelFormatError(
            path,
            expected=f"{_EXPECTED} with {', '.join(sorted(_MEMBERS))}",
            received=f"also {strange[0][:80]!r}",
        )
    if names.count(_WEIGHTS) != 1:
        received = f"{names.count(_WEIGHTS)} times {_WEIGHTS}"
        raise ModelFormatError(path, expected=_EXPECTED, received=received)
    entry = entries[names.index(_WEIGHTS)]
    if entry.file_size > MOST_UNPACKED:
        raise ModelFormatError(
            path,
            expected=f"{_EXPECTED} of at most {MOST_UNPACKED} bytes",
            received=f"{entry.file_size} bytes when unpacked",
        )
    return entry

# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of what files from elsewhere may ask of this machine."""

from __future__ import annotations

import csv
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError

from deepconsensus_plugin.core.errors import FileFormatError

PARSER_ERRORS = (
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError),
    *(OSError, EOFError, RuntimeError, AssertionError, MemoryError, SyntaxError),
    *(struct.error, zlib.error, lzma.LZMAError, csv.Error, zipfile.BadZipFile),
    TokenError,
)
"""What parsers of other packages raise on bytes that are no file of theirs: TIFF, HDF5,
NumPy and codecs document only a part of it."""

MOST_UNPACKED = 2**29
"""Bytes that one compressed file may unpack to: 11585 x 11585 pixels of 4 bytes, more
than a detector has at twice its resolution; seconds, whatever they were packed into."""


@contextmanager
def as_format_errors(path: Path, expected: str) -> Iterator[None]:
    """Tell whatever a parser raises meanwhile as a format error of its file.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What it is a file of.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        For what the parser raises.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: {expected} is not there")
    try:
        yield
    except FileFormatError:
        raise
    except PARSER_ERRORS as error:
        raise FileFormatError(
            path, expected=expected, received=str(error)[:200]
        ) from error

# SPDX-License-Identifier: GPL-3.0-or-later
"""Content of files that may be compressed, no more of it than `MOST_UNPACKED`."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.untrusted import MOST_UNPACKED, PARSER_ERRORS


def read_unpacked(path: Path) -> bytes:
    """Return the content of a file, unpacked where it is one of gzip or bzip2.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is damaged, or would unpack to more.
    """
    with path.open("rb") as file:
        head = file.read(3)
    if head[:2] != b"\x1f\x8b" and head != b"BZh":
        return path.read_bytes()
    opener: Any = bz2.open if head == b"BZh" else gzip.open
    try:
        with opener(path, "rb") as stream:
            content: bytes = stream.read(MOST_UNPACKED + 1)
    except PARSER_ERRORS as error:
        raise FileFormatError(
            path, expected="a complete gzip or bzip2 file", received=str(error)
        ) from error
    if len(content) > MOST_UNPACKED:
        raise FileFormatError(
            path, expected=f"at most {MOST_UNPACKED} bytes, unpacked", received="more"
        )
    return content

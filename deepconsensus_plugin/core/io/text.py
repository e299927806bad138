# SPDX-License-Identifier: GPL-3.0-or-later
"""Text files: decoding, numbers in fields, and errors that name the line."""

from __future__ import annotations

import math
from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError

_MISSING = frozenset(("", "na", "n/a", "<na>", "nan", "none", "null", "-", "?", "."))
"""Words for a missing value, lower case: of R, pandas, crYOLO, JSON, STAR."""


def read_text(path: Path) -> str:
    """Return the content of a text file, without a byte order mark.

    Raises
    ------
    FileFormatError
        If it is not UTF-8.
    """
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            path, expected="a text file in UTF-8", received=str(error)
        ) from error


def bad_row(path: Path, line: int, *, expected: str, received: str) -> FileFormatError:
    """Return the error of one row; `line` counts from 1."""
    return FileFormatError(
        path, expected=f"{expected} on line {line}", received=repr(received)
    )


def is_missing(token: str) -> bool:
    """Return whether a field says that there is no value: empty, ``NA``, ``<NA>`` …."""
    return token.strip().lower() in _MISSING


def parse_score(token: str) -> float:
    """Return a score; NaN where the field says that there is none.

    Raises
    ------
    ValueError
        If it is no number, or infinite.
    """
    value = math.nan if is_missing(token) else float(token)
    if math.isinf(value):
        raise ValueError(f"expected a finite score, received {token}")
    return value


def parse_position(token: str) -> float:
    """Return a finite position.

    Raises
    ------
    ValueError
        If it is no number, or not finite.
    """
    value = float(token)
    if not math.isfinite(value):
        raise ValueError(f"expected a finite position, received {token}")
    return value


def format_number(value: float) -> str:
    """Return the shortest decimal that reads back as the same float64."""
    text = repr(float(value))
    return text.removesuffix(".0")

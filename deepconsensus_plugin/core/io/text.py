# SPDX-License-Identifier: GPL-3.0-or-later
"""Text files: decoding, numbers in fields, and errors that name the line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.limits import FARTHEST_PX, LARGEST_SCORE

_MISSING = frozenset(("", "na", "n/a", "<na>", "nan", "none", "null", "-", "?", "."))
"""Words for a missing value, lower case: of R, pandas, crYOLO, JSON, STAR."""


_MOST_SHOWN = 300
"""Letters of a row in an error."""


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


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, which end in LF, CR LF or CR and nothing else.

    ``str.splitlines`` would also break a line at a form feed or within a name.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def bad_row(path: Path, line: int, *, expected: str, received: str) -> FileFormatError:
    """Return the error of one row; `line` counts from 1."""
    return FileFormatError(
        path,
        expected=f"{expected} on line {line}",
        received=repr(received[:_MOST_SHOWN]),
    )


def is_missing(token: str) -> bool:
    """Return whether a field says that there is no value: empty, ``NA``, ``<NA>`` …."""
    return token.strip().lower() in _MISSING


def parse_number(token: str) -> float:
    """Return a number as programs write it; Python's ``1_0`` and ``٣`` are none.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not is_plain(token):
        raise ValueError(f"expected a number, received {token}")
    return float(token)


def is_plain(token: str) -> bool:
    """Return whether a token is without what only Python takes for numbers."""
    return "_" not in token and token.isascii()


def parse_score(token: str) -> float:
    """Return a score; NaN where the field says that there is none.

    Raises
    ------
    ValueError
        If it is no number, infinite, or larger than `LARGEST_SCORE`.
    """
    value = math.nan if is_missing(token) else parse_number(token)
    if abs(value) > LARGEST_SCORE:
        raise ValueError(f"expected a score up to {LARGEST_SCORE:g}, received {token}")
    return value


def parse_position(token: str) -> float:
    """Return a position or a length, pixels.

    Raises
    ------
    ValueError
        If it is no number, not finite, or farther away than `FARTHEST_PX`.
    """
    value = parse_number(token)
    if not abs(value) <= FARTHEST_PX:
        raise ValueError(f"expected at most {FARTHEST_PX:g} px, received {token}")
    return value


def format_numbers(values: Iterable[float]) -> list[str]:
    """Return what `format_number` does for each of many, empty for NaN."""
    return [
        "" if value != value else repr(value).removesuffix(".0") for value in values
    ]


def format_number(value: float) -> str:
    """Return the shortest decimal that reads back as the same float64."""
    text = repr(float(value))
    return text.removesuffix(".0")

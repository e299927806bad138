# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON from files that anyone may have written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.text import read_text

_MOST_DIGITS = 20
"""Characters of a whole number of 64 bits, with its sign."""


def parse_json(path: Path, text: str, *, allow_constants: bool = False) -> Any:
    """Return what JSON text of the file `path` holds.

    Parameters
    ----------
    path : Path
        The file, for messages.
    text : str
        Its content.
    allow_constants : bool
        Whether ``NaN`` and ``Infinity`` are numbers, as Python writes them; in JSON
        they are none.

    Raises
    ------
    FileFormatError
        If it is no JSON, nested more deeply than Python can follow, or has a whole
        number of more than 64 bits or one that is too large.
    """
    constant = float if allow_constants else _refuse_constant
    try:
        return json.loads(
            text,
            parse_int=_parse_int,
            parse_float=_parse_float,
            parse_constant=constant,
        )
    except RecursionError as error:
        received = "hundreds of lists or objects within each other"
        raise FileFormatError(path, expected="JSON", received=received) from error
    except ValueError as error:
        raise FileFormatError(path, expected="JSON", received=str(error)) from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds.

    Raises
    ------
    FileFormatError
        If it holds something else.
    """
    content = parse_json(path, read_text(path))
    if not isinstance(content, dict):
        received = f"a {type(content).__name__}"
        raise FileFormatError(path, expected="a JSON object", received=received)
    return content


def _parse_int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or not -(2**63) <= int(digits) < 2**63:
        raise ValueError(f"whole number of more than 64 bits: {digits[:_MOST_DIGITS]}…")
    return int(digits)


def _parse_float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"a number that is too large: {digits[:_MOST_DIGITS]}")
    return value


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word}, which is no number in JSON")

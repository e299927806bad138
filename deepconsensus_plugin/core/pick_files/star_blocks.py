# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of STAR files (RELION, Xmipp) as columns, with errors that name the line.

The `starfile` package reads them. It fills short rows and cannot say where a file is
bad, so a file it rejects, or in which a value is missing, is looked at again here.
"""

from __future__ import annotations

import linecache
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.text import bad_row, read_text
from deepconsensus_plugin.core.types import FloatArray

Columns = Mapping[str, NDArray[Any]]

_MISSING = "<NA>"


def read_blocks(path: Path, *, as_text: Sequence[str] = ()) -> dict[str, Columns]:
    """Read all blocks of a STAR file.

    Parameters
    ----------
    path : Path
        The file.
    as_text : sequence of str
        Columns to keep as they are written: names that look like numbers, and numbers
        that must not lose their last digit.

    Returns
    -------
    dict of str to columns
        By block name without ``data_``; each column an array of the block's rows (a
        block without a loop has one). Names come without the leading underscore.

    Raises
    ------
    FileFormatError
        If the file is no text, or a row does not have as many fields as columns.
    """
    import starfile  # heavy: it loads pandas

    text = read_text(path)
    linecache.checkcache(str(path))  # starfile reads through it, perhaps an old copy
    try:
        blocks = starfile.read(path, always_dict=True, parse_as_string=list(as_text))
    except ValueError as error:
        _check_rows(path, text)
        expected = "a STAR file that can be parsed"
        raise FileFormatError(path, expected=expected, received=str(error)) from error
    finally:
        linecache.clearcache()
    return {
        name: {column: np.atleast_1d(np.asarray(block[column])) for column in block}
        for name, block in blocks.items()
        if block is not None
    }


def numeric_column(
    path: Path,
    blocks: Mapping[str, Columns],
    block: str,
    column: str,
    *,
    allow_nan: bool = False,
) -> FloatArray:
    """Return one column of numbers.

    Parameters
    ----------
    path : Path
        The file that `blocks` come from.
    blocks : mapping of str to columns
        As `read_blocks` returns them.
    block, column : str
        Names of block and column.
    allow_nan : bool
        Whether ``nan`` and crYOLO's ``<NA>`` are values; infinity never is.

    Returns
    -------
    array, shape (rows,), float64

    Raises
    ------
    FileFormatError
        If a field is missing or is no such number; names the line.
    """
    values = blocks[block][column]
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.array([_number_or_inf(value) for value in values])
    if np.isfinite(numbers).all():
        return numbers
    text = read_text(path)
    _check_rows(path, text)
    bad = np.isinf(numbers) if allow_nan else ~np.isfinite(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise _bad_value(path, text, block, row, expected=f"a number for _{column}")
    return numbers


def _bad_value(
    path: Path, text: str, block: str, row: int, *, expected: str
) -> FileFormatError:
    rows = list(_rows(text, block))
    if row >= len(rows):  # a block without a loop
        return FileFormatError(path, expected=expected, received="another value")
    line, fields = rows[row]
    return bad_row(path, line, expected=expected, received=" ".join(fields))


def _number_or_inf(value: Any) -> float:
    try:
        return np.nan if value == _MISSING else float(value)
    except (TypeError, ValueError):
        return np.inf


def _rows(text: str, block: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number (from 1) and fields of the rows of one block."""
    for name, _, line, fields in _all_rows(text):
        if name == block:
            yield line, fields


def _check_rows(path: Path, text: str) -> None:
    for _, columns, line, fields in _all_rows(text):
        if len(fields) != columns:
            raise bad_row(
                path,
                line,
                expected=f"{columns} fields, as many as columns",
                received=" ".join(fields),
            )


def _all_rows(text: str) -> Iterator[tuple[str, int, int, list[str]]]:
    """Yield block, number of columns, line number and fields of every loop row."""
    block, columns, in_loop = "", 0, False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("data_"):
            block, columns, in_loop = line[len("data_") :], 0, False
        elif line.startswith("loop_"):
            in_loop = True
        elif in_loop and line.startswith("_"):
            columns += 1
        elif in_loop and line and not line.startswith("#"):
            yield block, columns, number, _split(line)


def _split(line: str) -> list[str]:
    if '"' not in line and "'" not in line:
        return line.partition("#")[0].split()
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quote that is never closed
        return line.split()

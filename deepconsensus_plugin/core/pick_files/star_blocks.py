# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of STAR files (RELION, Xmipp, crYOLO): read, with errors that name the line.

Written as RELION reads them: one row a line; a value in single or double quotes may
hold blanks; ``#`` begins a comment only where a value could begin. Several blocks may
have one name, as in files joined with ``cat``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.text import (
    bad_row,
    is_missing,
    is_plain,
    lines_of,
    parse_number,
    read_text,
)
from deepconsensus_plugin.core.limits import FARTHEST_PX, LARGEST_SCORE
from deepconsensus_plugin.core.types import FloatArray

_LONGEST_NUMBER = 64
"""Letters of a number that is read with the others of its column."""

_TOKEN = re.compile(r"""(["'])(.*?)\1(?=\s|$)|(\S+)""")
_MUST_BE_QUOTED = re.compile(r"""\s|^["'#_$;]|^(data_|loop_)|^$""")


@dataclass(frozen=True, eq=False)
class Block:
    """One block of a STAR file, as columns of text.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Without ``data_``.
    columns : mapping of str to sequence of str
        By name without the leading underscore; a block without a loop has one row.
    lines : sequence of int
        Line of every row, from 1.
    """

    path: Path
    name: str
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lines: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def has(self, *columns: str) -> bool:
        """Return whether all of these columns are there."""
        return all(column in self.columns for column in columns)

    def positions(self, column: str) -> FloatArray:
        """Return one column of positions or lengths, up to `FARTHEST_PX`."""
        return self.numbers(column, most=FARTHEST_PX)

    def scores(self, column: str) -> FloatArray:
        """Return one column of scores, up to `LARGEST_SCORE`; NaN where there is none.

        ``nan`` and words for a missing value (``<NA>``) are none.
        """
        return self.numbers(column, allow_nan=True, most=LARGEST_SCORE)

    def numbers(
        self, column: str, *, allow_nan: bool = False, most: float = np.inf
    ) -> FloatArray:
        """Return one column of numbers.

        Parameters
        ----------
        column : str
            Its name.
        allow_nan : bool
            Whether ``nan`` and words for a missing value (``<NA>``) become NaN;
            infinity is never a value.
        most : float
            Largest value, of either sign.

        Returns
        -------
        array, shape (rows,), float64

        Raises
        ------
        FileFormatError
            If a value is no such number; names the line.
        """
        values = self.columns[column]
        try:
            # As an array, all of them take the memory of the longest.
            is_short = max(map(len, values), default=0) <= _LONGEST_NUMBER
            if not is_short or not is_plain("".join(values)):
                raise ValueError(column)
            numbers = np.array(values, dtype=np.str_).astype(np.float64)
        except ValueError:
            numbers = np.array([_number_or_inf(value) for value in values])
        is_number = np.isfinite(numbers) & (np.abs(numbers) <= most)
        bad = ~(is_number | (np.isnan(numbers) & allow_nan))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            up_to = f" up to {most:g}" if np.isfinite(numbers[row]) else ""
            raise self.bad_row(row, expected=f"a number{up_to} for _{column}")
        return numbers

    def bad_row(self, row: int, *, expected: str) -> FileFormatError:
        """Return the error of one row, counted from 0."""
        received = " ".join(values[row] for values in self.columns.values())
        return bad_row(self.path, self.lines[row], expected=expected, received=received)


def _number_or_inf(value: str) -> float:
    try:
        return np.nan if is_missing(value) else parse_number(value)
    except ValueError:
        return np.inf


def read_blocks(path: Path) -> list[Block]:
    """Read all blocks of a STAR file, in their order; none of an empty file.

    Raises
    ------
    FileFormatError
        If the file is no text, or a row does not have as many fields as columns.
    """
    blocks: list[Block] = []
    part = _Part(path)
    after_gap = False
    for number, raw in enumerate(lines_of(read_text(path)), start=1):
        line = raw.strip()
        fields = split_fields(line)
        if len(fields) == 1 and line.startswith("data_"):
            blocks += part.finished()
            part = _Part(path, fields[0][len("data_") :])
        elif fields == ["loop_"]:
            blocks += part.finished() if part.header else []
            part = _Part(path, part.name, in_loop=True)
        elif fields and part.name is not None:
            if after_gap and part.in_loop and part.rows and line.startswith("_"):
                blocks += part.finished()
                part = _Part(path, part.name)
            part.take(number, line, fields)
        after_gap = not line
    return blocks + part.finished()


@dataclass
class _Part:
    """A loop of a block, or its single values, while they are read."""

    path: Path
    name: str | None = None
    in_loop: bool = False
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def take(self, number: int, line: str, fields: list[str]) -> None:
        """Take a line that holds something."""
        if not self.in_loop:
            self._take_single(number, fields)
        elif line.startswith("_") and len(fields) == 1 and not self.rows:
            if fields[0][1:] in self.header:
                expected = "columns of different names"
                raise bad_row(self.path, number, expected=expected, received=line)
            self.header.append(fields[0][1:])
        elif len(fields) == len(self.header):
            self.rows.append(fields)
            self.lines.append(number)
        else:
            expected = f"{len(self.header)} fields, as many as columns"
            raise bad_row(self.path, number, expected=expected, received=line)

    def _take_single(self, number: int, fields: list[str]) -> None:
        if len(fields) == 2 and fields[0].startswith("_"):
            self.header.append(fields[0][1:])
            self.rows = [[*(self.rows[0] if self.rows else []), fields[1]]]
            self.lines = [number]

    def finished(self) -> list[Block]:
        """Return the block; none before the first one."""
        if self.name is None:
            return []
        values = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.header)
        columns = dict(zip(self.header, values, strict=True))
        return [Block(self.path, self.name, columns, self.lines)]


def images_named(block: Block, column: str) -> list[str]:
    """Return the names of micrographs in a column; ``1@`` before a name comes off.

    Raises
    ------
    FileFormatError
        If one is another slice of a stack, ``3@stack.mrcs``: a micrograph is a file.
    """
    names = []
    for row, name in enumerate(block.columns[column]):
        number, at, file = name.partition("@")
        is_slice = bool(at) and number.isdecimal()
        if is_slice and int(number) != 1:
            raise block.bad_row(
                row,
                expected="a micrograph in a file of its own, not a slice of a stack,",
            )
        names.append(file if is_slice else name)
    return names


def split_fields(line: str) -> list[str]:
    """Return the values of a line, without their quotes and without a comment."""
    if '"' not in line and "'" not in line and "#" not in line:
        return line.split()
    fields = []
    for match in _TOKEN.finditer(line):
        if match[3] is not None and match[3].startswith("#"):
            break
        fields.append(match[2] if match[3] is None else match[3])
    return fields


def quoted(value: str) -> str:
    """Return a value as it must be written in a row.

    Raises
    ------
    ValueError
        If STAR has no way to write it: a line break, or quotes of both kinds.
    """
    if not _MUST_BE_QUOTED.search(value):
        return value
    for mark in ('"', "'"):
        if mark not in value and len(value.splitlines()) <= 1:
            return f"{mark}{value}{mark}"
    raise ValueError(
        "expected a name that a STAR file can hold, received one with "
        f"quotes of both kinds or a line break: {value!r}"
    )


def star_table(
    block: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    """Return the text of a loop; values are written as they are (see `quoted`)."""
    names = [f"_{column} #{number}" for number, column in enumerate(columns, start=1)]
    head = ["", f"data_{block}", "", "loop_", *names]
    return "\n".join([*head, *("\t".join(row) for row in rows), ""])

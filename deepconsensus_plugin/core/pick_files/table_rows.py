# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a text table: separated by commas, semicolons, tabs or blanks."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from deepconsensus_plugin.core.io.text import lines_of, parse_number


@dataclass(frozen=True)
class Row:
    """One line of a table: its number from 1, and its fields without blanks."""

    line: int
    fields: list[str]
    is_comment: bool = False


def table_rows(text: str) -> list[Row]:
    """Return the rows of a table, comments among them, without blank lines.

    Raises
    ------
    csv.Error
        If a line with quotes cannot be parsed.
    """
    lines = [
        (number, line)
        for number, line in enumerate(lines_of(text), start=1)
        if line.strip()
    ]
    first = next((line for _, line in lines if not _is_comment(line)), "")
    mark = next((mark for mark in (",", ";", "\t") if mark in first), None)
    return [
        Row(number, _split(line, mark), _is_comment(line)) for number, line in lines
    ]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _split(line: str, mark: str | None) -> list[str]:
    if mark is None:
        return line.split()
    if '"' not in line:
        return [field.strip() for field in line.split(mark)]
    (fields,) = csv.reader([line], delimiter=mark)
    return [field.strip() for field in fields]


def is_header(fields: list[str]) -> bool:
    """Return whether no field is a number."""
    return not any(is_number(field) for field in fields)


def is_number(field: str) -> bool:
    """Return whether a field is a number, perhaps ``nan`` or ``inf``."""
    try:
        parse_number(field)
    except ValueError:
        return False
    return True

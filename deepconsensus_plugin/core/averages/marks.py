# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks of averages as good or bad, kept beside their file."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import BoolArray, IntArray


class Mark(enum.Enum):
    """Mark that a user gave to an average."""

    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Marks:
    """Averages that a user marked, by their numbers from 0 in the order of the file.

    Parameters
    ----------
    good, bad : tuple of int
        Ascending; no average is in both.
    averages : str
        Digest of the averages that were marked (`digest_of`); empty if not known.
    """

    good: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()
    averages: str = ""

    def __post_init__(self) -> None:
        """Refuse an average that is good and bad."""
        if both := sorted({*self.good} & {*self.bad}):
            raise ValueError(f"expected averages marked once, received {both} as both")

    def of(self, average: int) -> Mark | None:
        """Return the mark of an average."""
        if average in self.good:
            return Mark.GOOD
        return Mark.BAD if average in self.bad else None

    def set(self, average: int, mark: Mark | None) -> Marks:
        """Return these marks with another one for an average; None takes it away."""
        good, bad = {*self.good} - {average}, {*self.bad} - {average}
        if mark is Mark.GOOD:
            good.add(average)
        elif mark is Mark.BAD:
            bad.add(average)
        return Marks(tuple(sorted(good)), tuple(sorted(bad)), self.averages)

    def members(self, average: IntArray, mark: Mark) -> BoolArray:
        """Return which candidates belong to averages with a mark, shape (n,).

        `average` is the average of each candidate, -1 for none.
        """
        marked = self.good if mark is Mark.GOOD else self.bad
        return np.isin(average, np.array(marked, dtype=np.intp))


def marks_path(averages: Path) -> Path:
    """Return the path of the marks beside a file of averages."""
    return averages.with_name(f"{averages.stem}_marks.json")


def digest_of(table: AveragesTable) -> str:
    """Return what identifies averages: other ones have another digest."""
    content = np.ascontiguousarray(table.images).tobytes()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def read_marks(averages: Path, table: AveragesTable) -> Marks:
    """Return the marks beside a file of averages.

    Parameters
    ----------
    averages : Path
        The file.
    table : AveragesTable
        Its content. Marks of other averages, as of an earlier run, are not taken.

    Raises
    ------
    FileFormatError
        If the file of the marks is not one of these.
    """
    path, own = marks_path(averages), digest_of(table)
    if path.exists():
        marks = from_plain(read_json(path), Marks, path=path)
        if marks.averages == own:
            return marks
    return Marks(averages=own)


def write_marks(averages: Path, marks: Marks) -> None:
    """Write marks beside a file of averages, whole or not at all."""
    write_json(marks_path(averages), to_plain(marks))


def describe_numbers(averages: Iterable[int]) -> str:
    """Return numbers of averages as users know them, from 1, in ranges: ``1-3, 7``."""
    runs: list[list[int]] = []
    for number in sorted({each + 1 for each in averages}):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs
    )


def numbers_in(text: str) -> tuple[int, ...]:
    """Return the averages that `describe_numbers` wrote, from 0, ascending.

    Raises
    ------
    ValueError
        If the text is something else.
    """
    found: set[int] = set()
    for part in filter(None, (each.strip() for each in text.split(","))):
        ends = [each.strip() for each in part.split("-")]
        if len(ends) > 2 or not all(each.isdecimal() for each in ends):
            raise ValueError(f"expected numbers such as 1-3, 7, received '{part}'")
        first, last = int(ends[0]), int(ends[-1])
        if not 1 <= first <= last:
            raise ValueError(f"expected numbers from 1, ascending, received '{part}'")
        found.update(range(first - 1, last))
    return tuple(sorted(found))

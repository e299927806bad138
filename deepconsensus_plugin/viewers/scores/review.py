# SPDX-License-Identifier: GPL-3.0-or-later
"""Review of scored candidates: marks, and the lists in which they are looked at."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.marks.log import MarkLog
from deepconsensus_plugin.core.marks.mark import (
    Chosen,
    Entry,
    Mark,
    Undo,
    Verdict,
    now,
    standing_marks,
    this_person,
)
from deepconsensus_plugin.core.marks.matching import (
    MATCH_RADIUS,
    Labels,
    match_marks,
)
from deepconsensus_plugin.core.marks.ordering import (
    find_contradictions,
    order_informative,
    order_random,
    order_uncertain,
)
from deepconsensus_plugin.core.marks.sample import RandomSample
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.viewers.scores.table import ScoredTable

_LEAST_RADIUS_PX = 1.0


class ReviewList(enum.Enum):
    """List in which candidates are looked at, by its name for users."""

    SCORE = "by score"
    RANDOM = "random accepted"
    UNCERTAIN = "most uncertain"
    INFORMATIVE = "most informative"
    MARKED = "marked"


_CHOSEN = {
    ReviewList.RANDOM: Chosen.RANDOM,
    ReviewList.UNCERTAIN: Chosen.UNCERTAIN,
    ReviewList.INFORMATIVE: Chosen.INFORMATIVE,
}


@dataclass(frozen=True, eq=False)
class _Places:
    """Candidates sorted by micrograph, as `match_marks` reads them."""

    micrographs: tuple[str, ...]
    micrograph_index: IntArray
    yx: FloatArray


class Review:
    """Marks of the candidates of a table, kept in a file as they are made.

    Parameters
    ----------
    table : ScoredTable
        n candidates whose micrographs are known.
    path : Path
        File of the marks; it need not be there.
    opinions : array, shape (n, o), optional
        What each kind of evidence tells of the candidates; NaN where it tells nothing.
    seed : int
        Of the lists that are drawn.
    """

    def __init__(
        self,
        table: ScoredTable,
        path: Path,
        opinions: FloatArray | None = None,
        *,
        seed: int = 0,
    ):
        self._table, self._log = table, MarkLog(path)
        n = len(table.score)
        opinions = np.full((n, 0), np.nan) if opinions is None else opinions
        self._contradictions = find_contradictions(opinions)
        self._rng = np.random.default_rng(seed)
        rows = np.flatnonzero(table.micrograph_index >= 0)
        self._rows = rows[np.argsort(table.micrograph_index[rows], kind="stable")]
        self._places = _Places(
            table.micrographs.names,
            table.micrograph_index[self._rows],
            table.yx[self._rows],
        )
        self._entries: list[Entry] = list(self._log.read())
        self._count()

    @property
    def path(self) -> Path:
        """File of the marks."""
        return self._log.path

    @property
    def labels(self) -> Labels:
        """Labels of the rows of the table."""
        return self._labels

    def verdict(self, row: int) -> Verdict:
        """Return how a candidate is marked."""
        return _VERDICTS[self._sign[row]]

    def mark(self, row: int, verdict: Verdict, shown_in: ReviewList) -> None:
        """Mark a candidate; it is on the disk when this returns.

        `shown_in` is the list that it was looked at in. A mark as it is changes
        nothing.
        """
        if self._table.micrograph_index[row] < 0 or verdict is self.verdict(row):
            return
        y, x = self._table.yx[row].tolist()
        name = self._table.micrographs.names[self._table.micrograph_index[row]]
        chosen = _CHOSEN.get(shown_in, Chosen.FREE)
        self._add(Mark(name, y, x, verdict, chosen, this_person(), now()))

    def undo(self) -> bool:
        """Take back the last mark; return whether there was one."""
        n_left = 0
        for entry in self._entries:
            n_left = n_left + 1 if isinstance(entry, Mark) else max(n_left - 1, 0)
        if not n_left:
            return False
        self._add(Undo(who=this_person(), when=now()))
        return True

    def listed(
        self, which: ReviewList, threshold: float, accepted: BoolArray
    ) -> IntArray:
        """Return the rows of a list, drawn now; marked ones are left out of most.

        Parameters
        ----------
        which : ReviewList
            Any but `SCORE`.
        threshold : float
            Lowest score that is good enough.
        accepted : array, shape (n,), bool
            What is accepted.
        """
        score, seen = self._table.score, self._sign != 0
        if which is ReviewList.MARKED:
            return np.flatnonzero(seen)
        if which is ReviewList.RANDOM:
            return order_random(accepted, seen, self._rng)
        if which is ReviewList.UNCERTAIN:
            return order_uncertain(score, threshold, seen, self._rng)
        return order_informative(
            score, threshold, self._contradictions, seen, self._rng
        )

    def describe(self) -> str:
        """Return how many are marked, and what the random ones tell.

        All of these count, accepted now or not: scores may know what was marked bad.
        """
        n_good = int((self._sign > 0).sum())
        n_bad = int((self._sign < 0).sum())
        told = f"{n_good} good, {n_bad} bad."
        if not self._labels.is_random.any():
            return told
        everything = np.ones(len(self._sign), dtype=bool)
        return f"{told} {RandomSample.of(self._labels, everything).describe()}"

    def _add(self, entry: Entry) -> None:
        self._log.add(entry)
        self._entries.append(entry)
        self._count()

    def _count(self) -> None:
        """Find the candidates of all marks that stand."""
        box_size = self._table.micrographs.box_size
        found = match_marks(
            standing_marks(self._entries),
            self._places,
            radius_px=max(MATCH_RADIUS * box_size, _LEAST_RADIUS_PX),
        ).labels
        rows = self._rows[found.rows]
        order = np.argsort(rows)
        self._labels = Labels(
            rows[order],
            found.is_particle[order],
            found.belief[order],
            found.is_random[order],
        )
        self._sign = np.zeros(len(self._table.score), dtype=np.int8)
        self._sign[rows] = np.where(found.is_particle, 1, -1)


_VERDICTS = {0: Verdict.NONE, 1: Verdict.GOOD, -1: Verdict.BAD}

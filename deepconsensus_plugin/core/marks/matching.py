# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks as labels of candidates, by position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.marks.mark import Chosen, Mark, Verdict
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

MATCH_RADIUS = 0.25
"""Largest distance of a mark from its candidate, boxes; particles are as near to their
true centre, where results are compared with a truth."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of m of n candidates.

    Parameters
    ----------
    rows : array, shape (m,), int
        Candidates that are labelled, ascending, each once.
    is_particle : array, shape (m,), bool
        What the labels say.
    belief : array, shape (m,)
        How far each counts, above 0 and at most 1.
    is_random : array, shape (m,), bool
        Which were drawn at random from all that was accepted.
    """

    rows: IntArray
    is_particle: BoolArray
    belief: FloatArray
    is_random: BoolArray

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.rows)

    @classmethod
    def none(cls) -> Labels:
        """Return no labels."""
        no = np.empty(0, dtype=bool)
        return cls(np.empty(0, dtype=np.intp), no, np.empty(0), no)

    def among(self, rows: IntArray) -> Labels:
        """Return the labels of the candidates at `rows`, ascending, numbered anew."""
        place = np.searchsorted(rows, self.rows).clip(max=max(len(rows) - 1, 0))
        there = rows[place] == self.rows if len(rows) else np.zeros(len(self), bool)
        kept = self.take(there)
        return Labels(place[there], kept.is_particle, kept.belief, kept.is_random)

    def take(self, chosen: BoolArray) -> Labels:
        """Return some of the labels."""
        return Labels(
            self.rows[chosen],
            self.is_particle[chosen],
            self.belief[chosen],
            self.is_random[chosen],
        )


@dataclass(frozen=True, eq=False)
class MatchedMarks:
    """Marks with the candidates that they label.

    Parameters
    ----------
    labels : Labels
        Of the candidates; where several marks are near one, the last one counts.
    further : tuple of Mark
        Marks far from every candidate: particles that nobody found, and places that
        are none.
    elsewhere : tuple of Mark
        Marks on micrographs that the candidates do not know.
    """

    labels: Labels
    further: tuple[Mark, ...]
    elsewhere: tuple[Mark, ...]


def match_marks(
    marks: Iterable[Mark], candidates: Candidates, *, radius_px: float
) -> MatchedMarks:
    """Return which candidates marks are of: the nearest one, if it is near enough.

    Parameters
    ----------
    marks : iterable of Mark
        In order of making.
    candidates : Candidates
        n.
    radius_px : float
        Largest distance, pixels, > 0.
    """
    number = {name: row for row, name in enumerate(candidates.micrographs)}
    by_micrograph: dict[int, list[Mark]] = {}
    elsewhere: list[Mark] = []
    for mark in marks:
        if mark.micrograph in number:
            by_micrograph.setdefault(number[mark.micrograph], []).append(mark)
        else:
            elsewhere.append(mark)
    label: dict[int, Mark] = {}
    further: list[Mark] = []
    for micrograph, here in by_micrograph.items():
        first, last = np.searchsorted(
            candidates.micrograph_index, [micrograph, micrograph + 1]
        )
        for mark, near in zip(
            here, _nearest(here, candidates.yx[first:last], radius_px), strict=True
        ):
            if near < 0:
                further.append(mark)
            else:
                label[int(first) + near] = mark
    return MatchedMarks(_labels(label), tuple(further), tuple(elsewhere))


def _nearest(marks: Sequence[Mark], yx: FloatArray, radius_px: float) -> list[int]:
    """Return the place of the nearest centre of each mark; -1 where none is near."""
    if not len(yx):
        return [-1] * len(marks)
    places = np.array([(mark.y, mark.x) for mark in marks])
    distance, row = cKDTree(yx).query(places)
    return [int(i) for i in np.where(distance <= radius_px, row, -1)]


def _labels(label: dict[int, Mark]) -> Labels:
    rows = sorted(label)
    marks = [label[row] for row in rows]
    return Labels(
        np.array(rows, dtype=np.intp),
        np.array([mark.verdict is Verdict.GOOD for mark in marks], dtype=bool),
        np.array([mark.belief for mark in marks], dtype=np.float64),
        np.array([mark.chosen is Chosen.RANDOM for mark in marks], dtype=bool),
    )

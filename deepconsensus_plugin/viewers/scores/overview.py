# SPDX-License-Identifier: GPL-3.0-or-later
"""Overview of scored candidates: all data of the window of scores."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.acceptance.accept import accept_placed
from deepconsensus_plugin.core.acceptance.expectation import (
    Expectation,
    describe_withheld,
)
from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.acceptance.summary import count_reasons
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.reasons import UNJUDGED, Reason
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.plots.picture import choose_micrograph
from deepconsensus_plugin.viewers.scores.images import ParticleImages
from deepconsensus_plugin.viewers.scores.ranking import Ranking
from deepconsensus_plugin.viewers.scores.review import Review, ReviewList
from deepconsensus_plugin.viewers.scores.table import (
    Grouping,
    ScoredTable,
    group_by_reason,
)

NOT_EXPECTED = (
    "Scores of the network are not probabilities:\n"
    "expected precision and recall are unknown."
)
REASON = "reason"
"""Way to stack the bars that follows the threshold."""

_LINE = 60
"""Characters of a line above a plot."""


@dataclass(frozen=True, eq=False)
class Page:
    """Candidates beside each other, best first.

    Parameters
    ----------
    first : int
        Rank of the first one, from 0.
    n_ranked : int
        Number of candidates on all pages.
    rows : array, shape (p,), int
        Rows of the table.
    placed : PlacedScores
        Scores of all candidates.
    """

    first: int
    n_ranked: int
    rows: IntArray
    placed: PlacedScores

    @property
    def scores(self) -> FloatArray:
        """Scores of the candidates on the page, shape (p,)."""
        return np.asarray(self.placed.score[self.rows])

    def reasons(self, threshold: float) -> IntArray:
        """Return codes of `Reason` at a threshold, shape (p,)."""
        return self.placed.reasons(threshold, self.rows)

    def describe(self) -> str:
        """Return which ranks these are, as one line."""
        if not len(self.rows):
            return "No candidate"
        last = self.first + len(self.rows)
        return f"Ranks {self.first + 1:,} – {last:,} of {self.n_ranked:,}"


@dataclass(frozen=True, eq=False)
class PicksShown:
    """The scored candidates of one micrograph, p.

    Parameters
    ----------
    rows : array, shape (p,), int
        Rows of the table.
    yx : array, shape (p, 2)
        Centres, pixels.
    placed : PlacedScores
        Scores of all candidates.
    """

    rows: IntArray
    yx: FloatArray
    placed: PlacedScores

    def reasons(self, threshold: float) -> IntArray:
        """Return codes of `Reason` at a threshold, shape (p,)."""
        return self.placed.reasons(threshold, self.rows)


class Overview:
    """A scored set as the window shows it.

    Parameters
    ----------
    table : ScoredTable
        Its candidates, n.
    are_probabilities : bool
        Whether scores are probabilities, not the network's own.
    places : Places, optional
        Places of the candidates; None where they are not known.
    spacing : Spacing, optional
        Where accepted particles may lie; the default if None.
    report : CalibrationReport, optional
        Report of the fusion that made the probabilities. It is used if it is of
        these candidates.
    images : ParticleImages, optional
        Their pictures.
    review : Review, optional
        Their marks; None where they cannot be marked.
    """

    def __init__(
        self,
        table: ScoredTable,
        *,
        are_probabilities: bool,
        places: Places | None = None,
        spacing: Spacing | None = None,
        report: CalibrationReport | None = None,
        images: ParticleImages | None = None,
        review: Review | None = None,
    ):
        self.table, self.images, self.review = table, images, review
        self.ranking = Ranking(table.score)
        self.spacing = spacing or Spacing()
        self.placed = PlacedScores(table.score, places, self.spacing)
        self.suggested_threshold = accept_placed(
            AcceptanceRule(spacing=self.spacing),
            self.placed,
            are_probabilities=are_probabilities,
        ).threshold
        self.expectation: Expectation | None = None
        self.are_probabilities = are_probabilities
        self._not_expected = NOT_EXPECTED
        if report is not None and report.why_withheld is not None:
            told = describe_withheld(report.why_withheld)
            self._not_expected = textwrap.fill(told, _LINE)
        elif are_probabilities:
            self.expectation = Expectation(self.placed, report)

    @property
    def groupings(self) -> list[str]:
        """Ways to stack bars."""
        *others, last = self.table.groupings
        return [*others, REASON, last]

    def group_by(self, name: str, threshold: float) -> Grouping:
        """Return the candidates in groups, by the name of the way to stack bars."""
        if name == REASON:
            return group_by_reason(self.placed.reasons(threshold))
        return self.table.groupings[name]

    def describe_kept(self, threshold: float) -> str:
        """Return how many candidates a threshold keeps, as two lines at most."""
        counts = count_reasons(self.placed.reasons(threshold))
        n_kept, n_all = counts["accepted"], len(self.placed)
        share = f" ({n_kept / n_all:.1%})" if n_all else ""
        kept = f"{n_kept:,} of {n_all:,}{share} kept at score ≥ {threshold:.4g}"
        removed = [
            f"{counts[reason.word]:,} {reason.phrase}"
            for reason in Reason
            if reason.phrase and counts[reason.word]
        ]
        return kept if not removed else f"{kept}\nless {' and '.join(removed)}"

    def describe_expected(self, threshold: float) -> str:
        """Return what is expected of them, in lines that fit above a plot."""
        if self.expectation is None:
            return self._not_expected
        return textwrap.fill(self.expectation.at(threshold).describe(), _LINE)

    def ranked(self, threshold: float, only: Reason | None = None) -> IntArray:
        """Return the rows of candidates that have a score, best first.

        `only` leaves those of which this becomes at the threshold.
        """
        order = self.ranking.order
        if only is None:
            return order
        return order[self.placed.reasons(threshold, order) == only]

    def page(
        self,
        threshold: float,
        size: int,
        *,
        shift: int = 0,
        only: Reason | None = None,
    ) -> Page:
        """Return a page of `ranked` with the threshold in its middle.

        `shift` moves it by so many ranks, to worse ones if positive. It never leaves
        the ranks that there are, as long as they fill it.
        """
        rows = self.ranked(threshold, only)
        middle = int((self.placed.score[rows] >= threshold).sum()) + shift
        first = max(0, min(middle - size // 2, len(rows) - size))
        return Page(first, len(rows), rows[first : first + size], self.placed)

    def accepted(self, threshold: float) -> BoolArray:
        """Return what a threshold accepts, shape (n,)."""
        return np.asarray(self.placed.reasons(threshold) == Reason.ACCEPTED)

    def listed(self, which: ReviewList, threshold: float) -> IntArray:
        """Return the rows of a list of the review, drawn now."""
        return self.review.listed(which, threshold, self.accepted(threshold))

    def page_of(self, rows: IntArray, first: int, size: int) -> Page:
        """Return a page of a list that begins at a place of it."""
        return Page(first, len(rows), rows[first : first + size], self.placed)

    def picks_on(self, micrograph: int) -> PicksShown:
        """Return the candidates of a micrograph that have a score; all on a bad one."""
        is_shown = ~np.isnan(self.table.score)
        is_shown |= np.isin(self.placed.place, UNJUDGED)
        here = self.table.micrograph_index == micrograph
        rows = np.flatnonzero(here & is_shown)
        return PicksShown(rows, self.table.yx[rows], self.placed)

    def most_mixed_micrograph(self, threshold: float) -> int:
        """Return the micrograph chosen by `choose_micrograph` at a threshold."""
        known = np.flatnonzero(self.table.micrograph_index >= 0)
        reasons = self.placed.reasons(threshold, known)
        return choose_micrograph(
            self.table.micrograph_index[known], reasons == Reason.ACCEPTED
        )

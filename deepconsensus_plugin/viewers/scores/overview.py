# SPDX-License-Identifier: GPL-3.0-or-later
"""Overview of scored candidates: all data of the window of scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
)
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.plots.picture import choose_micrograph
from deepconsensus_plugin.viewers.scores.expectation import Expectation, is_report_of
from deepconsensus_plugin.viewers.scores.images import ParticleImages
from deepconsensus_plugin.viewers.scores.ranking import Ranking
from deepconsensus_plugin.viewers.scores.table import ScoredTable

NOT_EXPECTED = (
    "Scores of the network are not probabilities:\n"
    "expected precision and recall are unknown."
)


@dataclass(frozen=True, eq=False)
class Page:
    """Candidates beside each other, best first.

    Parameters
    ----------
    first : int
        Rank of the first one, from 0.
    rows : array, shape (p,), int
        Rows of the table.
    scores : array, shape (p,)
        Their scores.
    """

    first: int
    rows: IntArray
    scores: FloatArray

    def describe(self, n_candidates: int) -> str:
        """Return which ranks these are, as one line."""
        if not len(self.rows):
            return "No candidate has a score"
        last = self.first + len(self.rows)
        return f"Ranks {self.first + 1:,} – {last:,} of {n_candidates:,}"


@dataclass(frozen=True, eq=False)
class PicksShown:
    """The scored candidates of one micrograph, p.

    Parameters
    ----------
    rows : array, shape (p,), int
        Rows of the table.
    yx : array, shape (p, 2)
        Centres, pixels.
    scores : array, shape (p,)
        NaN for none.
    """

    rows: IntArray
    yx: FloatArray
    scores: FloatArray

    def are_accepted(self, threshold: float) -> BoolArray:
        """Return which ones a threshold keeps, shape (p,)."""
        return np.asarray(self.scores >= threshold)


class Overview:
    """A scored set as the window shows it.

    Parameters
    ----------
    table : ScoredTable
        Its candidates, n.
    are_probabilities : bool
        Whether scores are probabilities, not the network's own.
    report : CalibrationReport, optional
        Report of the fusion that made the probabilities. It is used if it is of
        these candidates.
    images : ParticleImages, optional
        Their pictures.
    """

    def __init__(
        self,
        table: ScoredTable,
        *,
        are_probabilities: bool,
        report: CalibrationReport | None = None,
        images: ParticleImages | None = None,
    ):
        self.table, self.images = table, images
        self.ranking = Ranking(table.score)
        self.expectation: Expectation | None = None
        self.suggested_threshold = choose_threshold(
            self.ranking.scores,
            AUTOMATIC.for_scores(are_probabilities=are_probabilities),
        )
        if are_probabilities:
            fits = report is not None and is_report_of(report, self.ranking)
            self.expectation = Expectation(self.ranking, report if fits else None)

    def describe_kept(self, threshold: float) -> str:
        """Return how many candidates a threshold keeps, as one line."""
        n_kept, n_all = int(self.ranking.n_kept(threshold)), self.ranking.n_candidates
        share = f" ({n_kept / n_all:.1%})" if n_all else ""
        return f"{n_kept:,} of {n_all:,}{share} kept at score ≥ {threshold:.4g}"

    def describe_expected(self, threshold: float) -> str:
        """Return what is expected of them, as two lines."""
        if self.expectation is None:
            return NOT_EXPECTED
        here = np.array([threshold])
        precision = self.expectation.precision(here).at(0)
        recall = self.expectation.recall(here).at(0)
        level = "; 95 % intervals" if self.expectation.has_intervals else ""
        return (
            f"Expected precision {_describe(precision)}, recall {_describe(recall)}\n"
            f"of about {self.expectation.n_particles:,.0f} particles among the "
            f"candidates{level}"
        )

    def page(self, threshold: float, size: int, *, shift: int = 0) -> Page:
        """Return candidates around a threshold; see `Ranking.first_of_page`."""
        first = self.ranking.first_of_page(threshold, size, shift=shift)
        some = slice(first, first + size)
        return Page(first, self.ranking.order[some], self.ranking.scores[some])

    def picks_on(self, micrograph: int) -> PicksShown:
        """Return the candidates of a micrograph."""
        rows = self.table.rows_on(micrograph)
        return PicksShown(rows, self.table.yx[rows], self.table.score[rows])

    def most_mixed_micrograph(self, threshold: float) -> int:
        """Return the micrograph chosen by `choose_micrograph` at a threshold."""
        known = self.table.micrograph_index >= 0
        return choose_micrograph(
            self.table.micrograph_index[known], self.table.score[known] >= threshold
        )


def _describe(figure: EstimatedFigure) -> str:
    return "not defined" if np.isnan(figure.value) else figure.describe()

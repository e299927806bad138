# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated reviewer: marks candidates by the truth, some of them wrongly."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.review.sets import ReviewedSet
from deepconsensus_plugin.core.calibration.expected import expected_figures
from deepconsensus_plugin.core.calibration.refit import MarkedFusion
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.marks.matching import Labels
from deepconsensus_plugin.core.marks.ordering import (
    find_contradictions,
    order_informative,
    order_random,
    order_uncertain,
)
from deepconsensus_plugin.core.metrics import recall_of, summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.matching import match_best_first
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

WRONG = 0.05
"""Share of the marks that are wrong."""
STAGES = (0, 25, 50, 100, 200)
"""Numbers of marks at which the fusion is repeated."""


class Order(enum.Enum):
    """Order in which candidates are looked at."""

    RANDOM = "random accepted"
    UNCERTAIN = "uncertain first"
    INFORMATIVE = "informative first"
    BOTH = "half uncertain, half random"


@dataclass(frozen=True)
class Outcome:
    """Figures of what is accepted after some marks.

    Parameters
    ----------
    n_marks : int
        Number of marks.
    f1 : float
        Against the truth.
    bad_kept : float
        Share that is kept of what experts judged bad, or of all false candidates.
    expected, true : float
        Precision of what is accepted.
    """

    n_marks: int
    f1: float
    bad_kept: float
    expected: float
    true: float


class Reviewer:
    """Person who marks candidates of one set.

    Parameters
    ----------
    reviewed : ReviewedSet
        The set.
    """

    def __init__(self, reviewed: ReviewedSet) -> None:
        self.set = reviewed
        self.fusion = MarkedFusion(reviewed.evidence)
        self.contradictions = find_contradictions(
            np.column_stack(
                [reviewed.evidence.found.mean(axis=1), reviewed.evidence.scores]
            )
        )
        self.is_true = self._find_true(self.fusion.probability(Labels.none()))

    def review(self, order: Order, seed: int) -> Iterator[Outcome]:
        """Yield the figures at each of `STAGES`."""
        rng = np.random.default_rng(seed)
        rows = np.empty(0, dtype=np.intp)
        answers, is_random = np.empty(0, dtype=bool), np.empty(0, dtype=bool)
        probability = self.fusion.probability(Labels.none())
        for n_marks in STAGES:
            if more := n_marks - len(rows):
                new, drawn = self._choose(order, more, probability, rows, rng)
                said = self.is_true[new] ^ (rng.random(len(new)) < WRONG)
                rows, answers = np.append(rows, new), np.append(answers, said)
                is_random = np.append(is_random, drawn)
                by_row = np.argsort(rows)
                labels = Labels(
                    rows[by_row],
                    answers[by_row],
                    np.ones(len(rows)),
                    is_random[by_row],
                )
                probability = self.fusion.probability(labels)
            yield self._judge(n_marks, probability)

    def _choose(
        self,
        order: Order,
        n: int,
        probability: FloatArray,
        marked: IntArray,
        rng: np.random.Generator,
    ) -> tuple[IntArray, BoolArray]:
        """Return the next n candidates to look at, and which were drawn at random."""
        seen = np.zeros(len(probability), dtype=bool)
        seen[marked] = True
        threshold = choose_threshold(probability, AUTOMATIC)
        accepted = probability >= threshold
        if order is Order.RANDOM:
            new = order_random(accepted, seen, rng)[:n]
            return new, np.ones(len(new), dtype=bool)
        if order is Order.INFORMATIVE:
            order_all = order_informative(
                probability, threshold, self.contradictions, seen, rng
            )
            new = order_all[:n]
            return new, np.zeros(len(new), dtype=bool)
        n_uncertain = n if order is Order.UNCERTAIN else n // 2
        new = order_uncertain(probability, threshold, seen, rng)[:n_uncertain]
        seen[new] = True
        further = order_random(accepted, seen, rng)[: n - n_uncertain]
        drawn = np.arange(len(new) + len(further)) >= len(new)
        return np.append(new, further), drawn

    def _judge(self, n_marks: int, probability: FloatArray) -> Outcome:
        threshold = choose_threshold(probability, AUTOMATIC)
        accepted = probability >= threshold
        picks = self.set.candidates.by_micrograph(probability)
        matched = match_picks(
            picks, self.set.truth, radius_px=self.set.radius_px, threshold=threshold
        )
        found = summarise_matches(matched)
        bad_kept = float(accepted[~self.is_true].mean())
        if self.set.bad is not None:
            kept = self.set.candidates.take(accepted)
            bad_kept = recall_of(
                self.set.bad, kept.coordinates(), radius_px=self.set.radius_px
            )
        expected, _ = expected_figures(probability, accepted)
        return Outcome(n_marks, found.f1, bad_kept, expected or 0.0, found.precision)

    def _find_true(self, probability: FloatArray) -> BoolArray:
        """Return which candidates match a true centre, the most probable first."""
        parts = [
            match_best_first(
                picks.yx, picks.scores, self.set.truth[name].yx, self.set.radius_px
            )
            for name, picks in self.set.candidates.by_micrograph(probability).items()
        ]
        return np.concatenate(parts)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion repeated with the marks of a person, and what they change, before it is kept.

The gain is told by the marks themselves: how many of them the choice agrees with, each
judged by a fit to the others, so that none is part of what it judges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deepconsensus_plugin.core.calibration import Evidence
from deepconsensus_plugin.core.calibration.expected import expected_figures
from deepconsensus_plugin.core.calibration.refit import MarkedFusion
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    ThresholdRule,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.marks.matching import Labels
from deepconsensus_plugin.core.marks.sample import RandomSample
from deepconsensus_plugin.core.pipeline.feedback import read_feedback_file
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile
from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_PARTS = 5
"""Parts of the marks of which each is judged by a fit to the others."""


@dataclass(frozen=True)
class MarksGain:
    """Change that marks make to what is accepted.

    Parameters
    ----------
    n_marks : int
        Candidates that are marked.
    n_agreed_before, n_agreed : int
        Marks that the choice agrees with, before, and by fits that do not know them.
    n_added, n_removed : int
        Candidates that are accepted now and were not, and the reverse.
    f1_before, f1 : float
        Expected F1 of both choices, by what is known now.
    sample : RandomSample
        Random marks of what is accepted now by fits that do not know them: by one that
        does, those marked bad would not be accepted.
    """

    n_marks: int
    n_agreed_before: int
    n_agreed: int
    n_added: int
    n_removed: int
    f1_before: float
    f1: float
    sample: RandomSample

    def sentences(self) -> list[str]:
        """Return what changes, as sentences."""
        return [
            f"{self.n_marks} marks: {self.n_added} candidates come in, "
            f"{self.n_removed} go out; expected F1 {self.f1_before:.3f} before, "
            f"{self.f1:.3f} now.",
            f"The choice agrees with {self.n_agreed} marks that it does not know, "
            f"with {self.n_agreed_before} before.",
            self.sample.describe(),
        ]


@dataclass(frozen=True, eq=False)
class Refit:
    """Result of a refit of n candidates.

    Parameters
    ----------
    probability : array, shape (n,)
        NaN where nothing can be judged.
    report : CalibrationReport
        Expected figures, with marks.
    gain : MarksGain
        Change to what was accepted.
    """

    probability: FloatArray
    report: CalibrationReport
    gain: MarksGain


def refit(
    candidates: Candidates,
    network_score: FloatArray,
    opinion: FloatArray | None = None,
    amplitude: FloatArray | None = None,
    *,
    before: FloatArray,
    labels: Labels,
    seed: int,
    rule: ThresholdRule = AUTOMATIC,
    context: FusionContext | None = None,
) -> Refit:
    """Return probabilities that know the marks of a person, and what they change.

    Parameters
    ----------
    candidates, network_score, opinion, amplitude, context
        As `core.pipeline.fuse.fuse_scores` takes them, n candidates.
    before : array, shape (n,)
        Probabilities that are known so far; NaN where there is none.
    labels : Labels
        Of some of the candidates; those that cannot be judged are left out.
    seed : int
        Seed of the draws that give the intervals; >= 0.
    rule : ThresholdRule
        How the threshold is chosen.

    Raises
    ------
    ValueError
        If no label is of a candidate that can be judged.
    """
    rows = np.flatnonzero(candidates.can_be_judged)
    judged, known = candidates.take(rows), labels.among(rows)
    if not len(known):
        raise ValueError(
            f"expected marks of candidates that can be judged, received {len(labels)} "
            f"marks of {len(candidates)} candidates, none of which can"
        )
    told = (None if each is None else each[rows] for each in (opinion, amplitude))
    evidence = Evidence.of_candidates(judged, network_score[rows], *told)
    marked = MarkedFusion(evidence)
    fusion = marked.fuse(known, rng=np.random.default_rng(seed))
    probability = np.full(len(candidates), np.nan)
    probability[rows] = fusion.probability
    context = context or FusionContext()
    report = context.report(fusion, judged, network_score[rows], probability, seed=seed)
    report = replace(report, remarks=[*report.remarks, _describe(known)])
    gain = _gain(marked, known, before[rows], fusion.probability, rule)
    return Refit(probability, report, gain)


def refit_with_file(
    candidates: Candidates,
    network_score: FloatArray,
    opinion: FloatArray | None = None,
    amplitude: FloatArray | None = None,
    *,
    before: FloatArray,
    feedback: FeedbackFile,
    seed: int,
    context: FusionContext | None = None,
) -> tuple[FloatArray, CalibrationReport]:
    """Return what `refit` does with the labels of a file, and tell them in the report.

    Candidates that the automatic threshold accepted are taken for those that another
    program was given.
    """
    accepted = before >= choose_threshold(before, AUTOMATIC)
    told = read_feedback_file(feedback, candidates, accepted)
    found = refit(
        candidates,
        network_score,
        opinion,
        amplitude,
        before=before,
        labels=told.labels,
        seed=seed,
        context=context,
    )
    remarks = [*found.report.remarks, *told.remarks, *found.gain.sentences()]
    return found.probability, replace(found.report, remarks=remarks)


def _describe(labels: Labels) -> str:
    n_good = int(labels.is_particle.sum())
    return (
        f"Probabilities know {len(labels)} marks of a person, {n_good} of them good, "
        f"{int(labels.is_random.sum())} in random order."
    )


def _gain(
    marked: MarkedFusion,
    labels: Labels,
    before: FloatArray,
    now: FloatArray,
    rule: ThresholdRule,
) -> MarksGain:
    was = before >= choose_threshold(before, rule)
    accepted = now >= choose_threshold(now, rule)
    unknown = _judge_unknown(marked, labels, rule)
    sampled = unknown & labels.is_random
    f1_before, f1 = (_f1(now, each) for each in (was, accepted))
    return MarksGain(
        n_marks=len(labels),
        n_agreed_before=int((was[labels.rows] == labels.is_particle).sum()),
        n_agreed=int((unknown == labels.is_particle).sum()),
        n_added=int((accepted & ~was).sum()),
        n_removed=int((was & ~accepted).sum()),
        f1_before=f1_before,
        f1=f1,
        sample=RandomSample(int(sampled.sum()), int(labels.is_particle[sampled].sum())),
    )


def _judge_unknown(
    marked: MarkedFusion, labels: Labels, rule: ThresholdRule
) -> BoolArray:
    """Return whether each labelled candidate is accepted by a fit to the others."""
    part: IntArray = np.arange(len(labels)) % _PARTS
    accepted = np.zeros(len(labels), dtype=bool)
    for number in range(min(_PARTS, len(labels))):
        own = part == number
        probability = marked.probability(labels.take(~own))
        threshold = choose_threshold(probability, rule)
        accepted[own] = probability[labels.rows[own]] >= threshold
    return accepted


def _f1(probability: FloatArray, accepted: BoolArray) -> float:
    precision, recall = expected_figures(probability, accepted)
    if not precision or not recall:
        return 0.0
    return 2 * precision * recall / (precision + recall)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence on the scores of a trained picker, for its threshold and its calibration."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
    choose_threshold,
)
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.pickers.classical.counting import estimate_particles
from deepconsensus_plugin.core.pickers.populations.log_odds import (
    ParticleScores,
    fit_particle_mixture,
)
from deepconsensus_plugin.core.pickers.populations.score_calibration import (
    ScoreCalibration,
)
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    ThresholdOrigin,
)
from deepconsensus_plugin.core.types import FloatArray

_FARTHEST, _HALVINGS = 20.0, 30
"""Largest shift of a curve of other samples, log-odds, and number of bisections."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evidence:
    """Evidence that separates particles from background, for the choice of a threshold.

    Parameters
    ----------
    figures : PickerValidation, optional
        Figures of the validation on the data set that is picked, or, if there is
        nothing better below, on the other data sets of the training.
    own : ParticleScores, optional
        Mixture of the scores of all picks; None where they do not separate particles
        from background.
    n_counted : int, optional
        Particles counted by the classical pickers, where nothing else is known of
        the sample.
    """

    figures: PickerValidation | None
    own: ParticleScores | None
    n_counted: int | None = None


def gather_evidence(
    request: NetworkPickRequest, scores: FloatArray, progress: Progress
) -> Evidence:
    """Return the validation, the mixture or the count that applies to these scores."""
    card, own = load_card(request.model), fit_particle_mixture(scores)
    if not isinstance(card, PickerCard):
        return Evidence(None, own)
    figures = card.validation_of(request.options)
    if figures is not None or own is not None or not len(scores):
        return Evidence(figures, own)
    n_counted = _count_particles(request, card, progress)
    return Evidence(card.validation, None, n_counted)


def decide_threshold(
    request: NetworkPickRequest, scores: FloatArray, evidence: Evidence
) -> tuple[float, ThresholdOrigin]:
    """Return the threshold, the user's if there is one, and its origin."""
    if request.threshold is not None:
        return request.threshold, ThresholdOrigin.GIVEN
    if not len(scores):
        return 0.0, ThresholdOrigin.UNKNOWN
    if request.n_expected is not None:
        return _best(request.n_expected, scores), ThresholdOrigin.EXPECTED
    if evidence.n_counted is not None:
        return _best(evidence.n_counted, scores), ThresholdOrigin.COUNTED
    if evidence.own is not None:
        return evidence.own.find_threshold(scores), ThresholdOrigin.SCORES
    best = None if evidence.figures is None else evidence.figures.best_threshold
    if best is not None:
        return best, ThresholdOrigin.VALIDATION
    return 0.0, ThresholdOrigin.UNKNOWN


def _best(number: int, scores: FloatArray) -> float:
    """Return the threshold that accepts a number of picks, at least one."""
    rule = ThresholdRule(ThresholdMode.FIRST_N, n_first=max(1, number))
    return choose_threshold(scores, rule)


def _count_particles(
    request: NetworkPickRequest, card: PickerCard, progress: Progress
) -> int | None:
    """Return how many particles the classical pickers count on a new sample.

    None where they cannot count, or where the model was trained on the sample.
    """
    sample = card.unknown_sample(request.options)
    if sample is None:
        return None
    with progress.stage("count particles", 1) as count:
        found = estimate_particles(
            request.micrographs,
            diameter_A=sample.diameter_A,
            particles_dark=sample.is_dark,
            workers=request.workers,
        )
        count(1)
    if not found.is_separated:
        return None
    logger.info("About %.0f particles a micrograph", found.number)
    return round(found.number * len(request.micrographs))


def calibrate(scores: FloatArray, evidence: Evidence) -> ScoreCalibration:
    """Return the probability of being a particle as a function of the score.

    It comes from the validation, or else from the mixture of scores. Where only the
    number of particles is known, the scores of the validation on other samples are
    shifted until the expected number equals it.
    """
    figures, own = evidence.figures, evidence.own
    if figures is not None:
        shift = 0.0
        if evidence.n_counted is not None:
            shift = _shift_to(evidence.n_counted, scores, figures)
        return ScoreCalibration.fit(scores, lambda s: figures.probability(s + shift))
    if own is not None:
        return ScoreCalibration.fit(scores, own.probability)
    return ScoreCalibration()


def _shift_to(number: int, scores: FloatArray, figures: PickerValidation) -> float:
    """Return the shift of scores at which `number` particles are expected."""
    if not figures.curve:
        return 0.0
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if figures.probability(scores + middle).sum() < number:
            low = middle
        else:
            high = middle
    return (low + high) / 2

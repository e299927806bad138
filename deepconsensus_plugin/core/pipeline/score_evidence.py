# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence on the scores of a trained picker, for its threshold and its calibration."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
    choose_threshold,
)
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.populations.log_odds import (
    ParticleScores,
    fit_particle_mixture,
)
from deepconsensus_plugin.core.pickers.populations.score_calibration import (
    ScoreCalibration,
)
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation
from deepconsensus_plugin.core.pipeline.kept_count import count_particles
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    ThresholdOrigin,
)
from deepconsensus_plugin.core.pipeline.particle_numbers import (
    NumberBasis,
    ParticleNumbers,
)
from deepconsensus_plugin.core.types import FloatArray

_FARTHEST, _HALVINGS = 20.0, 30
"""Largest shift of a curve of other samples, log-odds, and number of bisections."""


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
    numbers : ParticleNumbers, optional
        Number of particles, on a sample that the model was not trained on.
    """

    figures: PickerValidation | None
    own: ParticleScores | None
    numbers: ParticleNumbers | None = None

    @property
    def counted(self) -> int | None:
        """Number of picks that is asked for, where it decides the threshold."""
        if self.numbers is None or self.numbers.number is None:
            return None
        if self.numbers.basis is NumberBasis.SCORES:
            return None
        return round(self.numbers.number)


def gather_evidence(
    request: NetworkPickRequest,
    scores: FloatArray,
    null: NullComparison | None,
    progress: Progress,
) -> Evidence:
    """Return what applies to these scores: validation, mixture, number of particles.

    Particles are counted on every sample that the model was not trained on, unless the
    null control finds none.
    """
    card, own = load_card(request.model), fit_particle_mixture(scores)
    if not isinstance(card, PickerCard):
        return Evidence(None, own)
    figures = card.validation_of(request.options)
    sample = card.unknown_sample(request.options)
    if figures is not None or sample is None:
        nothing_better = figures is None and own is None and len(scores)
        return Evidence(card.validation if nothing_better else figures, own)
    if null is None or not null.has_evidence:
        return Evidence(card.validation, own)
    numbers = ParticleNumbers(
        None if own is None else float(own.probability(scores).sum()),
        count_particles(request, sample, progress),
        float(null.excess(scores).sum()),
    )
    if numbers.basis is NumberBasis.SCORES:
        return Evidence(None, own, numbers)
    return Evidence(card.validation, None, numbers)


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
    if evidence.counted is not None and evidence.numbers is not None:
        is_count = evidence.numbers.basis is NumberBasis.COUNT
        origin = ThresholdOrigin.COUNTED if is_count else ThresholdOrigin.BETWEEN
        return _best(evidence.counted, scores), origin
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


def calibrate(scores: FloatArray, evidence: Evidence) -> ScoreCalibration:
    """Return the probability of being a particle as a function of the score.

    It comes from the validation, or else from the mixture of scores. Where only the
    number of particles is known, the scores of the validation on other samples are
    shifted until the expected number equals it.
    """
    figures, own = evidence.figures, evidence.own
    if figures is not None:
        shift = 0.0
        if evidence.counted is not None:
            shift = _shift_to(evidence.counted, scores, figures)
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

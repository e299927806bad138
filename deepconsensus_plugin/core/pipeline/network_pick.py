# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that picks with any trained model, then chooses a threshold.

The picks of a micrograph are kept in a file of their own, named by a digest of their
inputs. So a killed run resumes, and another threshold takes seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
    choose_threshold,
)
from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Progress, map_ahead
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.methods import load_card, load_picker
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
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
    NetworkPickResult,
    ThresholdOrigin,
)
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

_FARTHEST, _HALVINGS = 20.0, 30
"""Log-odds that a curve of other samples is moved at most; steps to find how far."""

logger = logging.getLogger(__name__)

_CODE_VERSION = 2
"""Raised when the same request finds other places; older files are then ignored."""


def run(request: NetworkPickRequest, progress: Progress) -> NetworkPickResult:
    """Carry out a `NetworkPickRequest`.

    Raises
    ------
    ValueError
        If there is no micrograph.
    IncompatibleModelError
        If the model cannot look at them; names the micrograph.
    """
    found = find_all(request, progress)
    scores = _scores(found)
    evidence = _gather(request, scores, progress)
    threshold, origin = _threshold(request, scores, evidence)
    picks = {name: x.take(x.scores >= threshold) for name, x in found.items()}
    write_coordinates(request.result, picks)
    calibration = _calibrate(scores, evidence)
    missed = _missed(request, picks)
    if request.missed is not None:
        write_coordinates(request.missed, missed)
    return NetworkPickResult(
        coordinates=request.result,
        n_found=len(scores),
        n_picks=sum(map(len, picks.values())),
        threshold=threshold,
        expected_precision=calibration.expected_precision(_scores(picks)),
        n_missed=sum(map(len, missed.values())),
        expected_missed_precision=calibration.expected_precision(_scores(missed)),
        calibration=calibration,
        origin=origin,
        timings=progress.timings,
    )


@dataclass(frozen=True)
class _Evidence:
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


def _gather(
    request: NetworkPickRequest, scores: FloatArray, progress: Progress
) -> _Evidence:
    card, own = load_card(request.model), fit_particle_mixture(scores)
    if not isinstance(card, PickerCard):
        return _Evidence(None, own)
    figures = card.validation_of(request.options)
    if figures is not None or own is not None or not len(scores):
        return _Evidence(figures, own)
    n_counted = _count_particles(request, card, progress)
    return _Evidence(card.validation, None, n_counted)


def _threshold(
    request: NetworkPickRequest, scores: FloatArray, evidence: _Evidence
) -> tuple[float, ThresholdOrigin]:
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
    """Return the threshold of so many picks, at least one."""
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


def _calibrate(scores: FloatArray, evidence: _Evidence) -> ScoreCalibration:
    """Return how probably picks are particles: by validation, or else the scores.

    Where only their number is known, the validation on other samples is moved
    along the scores until it expects as many.
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
    """Return what is added to scores so that so many particles are expected."""
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


def _missed(
    request: NetworkPickRequest, picks: Mapping[str, ScoredCoordinates]
) -> dict[str, ScoredCoordinates]:
    """Return the picks that are not near a known coordinate; none without any."""
    if request.known is None:
        return {}
    known = read_coordinates(request.known)
    missed = {}
    for name, here in picks.items():
        distance = np.full(len(here), np.inf)
        if len(known.get(name, ())):
            distance, _ = cKDTree(known[name].yx).query(here.yx)
        missed[name] = here.take(distance > request.known_radius_px)
    return missed


def _scores(picks: Mapping[str, ScoredCoordinates]) -> FloatArray:
    return np.concatenate([np.zeros(0), *(each.scores for each in picks.values())])


def find_all(
    request: NetworkPickRequest, progress: Progress
) -> Mapping[str, ScoredCoordinates]:
    """Return what the model finds, whatever its score; kept from an earlier run."""
    if not request.micrographs:
        raise ValueError("expected micrographs to pick, received none")
    request.found.mkdir(parents=True, exist_ok=True)
    paths = {each.name: _found_path(request, each) for each in request.micrographs}
    left = [each for each in request.micrographs if not paths[each.name].is_file()]
    with progress.stage("pick", len(request.micrographs)) as count:
        count(len(request.micrographs) - len(left))
        if left:
            picker = load_picker(request.model, request.options)
            prepared = map_ahead(picker.prepare, left, workers=request.workers)
            for micrograph, each in zip(left, prepared, strict=True):
                here = {micrograph.name: picker.find(each)}
                write_coordinates(paths[micrograph.name], here)
                count(1)
    return {name: read_coordinates(path)[name] for name, path in paths.items()}


def _found_path(request: NetworkPickRequest, micrograph: Micrograph) -> Path:
    origin = digest(
        _CODE_VERSION,
        micrograph,
        digest_file(micrograph.path),
        [digest_file(request.model / name) for name in (CARD_FILE, WEIGHTS_FILE)],
        request.options,
    )
    return request.found / f"{micrograph.name}.{origin[:16]}.h5"

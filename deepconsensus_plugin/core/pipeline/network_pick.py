# SPDX-License-Identifier: GPL-3.0-or-later
"""Pick a whole set with a trained model of any kind, then choose a threshold.

What is found on a micrograph is kept in a file of its own, whose name tells what it was
made from. So a killed run goes on where it was, and another threshold takes seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.execution import Progress, map_ahead
from deepconsensus_plugin.core.identity import identify, identify_file
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.models.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.models.kinds import load_card
from deepconsensus_plugin.core.models.picker_card import HydraCard, PickerCard
from deepconsensus_plugin.core.pickers.counting import estimate_particles
from deepconsensus_plugin.core.pickers.log_odds import ParticleScores, tell_particles
from deepconsensus_plugin.core.pickers.score_calibration import ScoreCalibration
from deepconsensus_plugin.core.pickers.trained import load_picker
from deepconsensus_plugin.core.pickers.validation import PickerValidation
from deepconsensus_plugin.core.pipeline.picker_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.thresholds import ThresholdMode, choose_threshold
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

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
    told = tell_particles(scores)
    figures = _figures(request, can_scores_tell=told is not None)
    threshold = _threshold(request, scores, told, figures, progress)
    picks = {name: x.take(x.scores >= threshold) for name, x in found.items()}
    write_coordinates(request.result, picks)
    calibration = _calibrate(scores, told, figures)
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
        timings=progress.timings,
    )


def _figures(
    request: NetworkPickRequest, *, can_scores_tell: bool
) -> PickerValidation | None:
    """Return what validation told of what is picked, or else, as a last resort, of all.

    What it told of other samples counts where the scores tell nothing themselves.
    """
    card = load_card(request.model)
    if not isinstance(card, PickerCard):
        return None
    own = card.validation_of(request.hydra)
    return card.validation if own is None and not can_scores_tell else own


def _threshold(
    request: NetworkPickRequest,
    scores: FloatArray,
    told: ParticleScores | None,
    figures: PickerValidation | None,
    progress: Progress,
) -> float:
    if request.threshold is not None:
        return request.threshold
    n_expected = request.n_expected
    if n_expected is None and told is None and len(scores):
        n_expected = _count_particles(request, progress)
    if n_expected is not None and len(scores):
        return choose_threshold(
            scores, mode=ThresholdMode.FIRST_N, n_first=max(1, n_expected)
        )
    if told is not None:
        return told.threshold
    best = None if figures is None else figures.best_threshold
    return 0.0 if best is None else best


def _count_particles(request: NetworkPickRequest, progress: Progress) -> int | None:
    """Return how many particles pickers without training tell of a new sample.

    None where they do not tell, or where the model has figures of the sample.
    """
    card, diameter_A = load_card(request.model), request.hydra.particle_diameter_A
    if not isinstance(card, HydraCard) or not card.is_of_any_size(request.hydra):
        return None
    if diameter_A is None:
        return None
    _, head = card.find_head(request.hydra)
    with progress.stage("count particles", 1) as count:
        found = estimate_particles(
            request.micrographs,
            diameter_A=diameter_A,
            particles_dark=head.are_particles_dark,
            workers=request.workers,
        )
        count(1)
    if not found.is_told:
        return None
    logger.info("About %.0f particles a micrograph", found.number)
    return round(found.number * len(request.micrographs))


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


def _calibrate(
    scores: FloatArray,
    told: ParticleScores | None,
    figures: PickerValidation | None,
) -> ScoreCalibration:
    """Return how probably picks are particles: by validation, or else the scores."""
    if figures is not None:
        return ScoreCalibration.fit(scores, figures.probability)
    if told is not None:
        return ScoreCalibration.fit(scores, told.probability)
    return ScoreCalibration()


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
            picker = load_picker(request.model, request.hydra)
            prepared = map_ahead(picker.prepare, left, workers=request.workers)
            for micrograph, each in zip(left, prepared, strict=True):
                here = {micrograph.name: picker.find(each)}
                write_coordinates(paths[micrograph.name], here)
                count(1)
    return {name: read_coordinates(path)[name] for name, path in paths.items()}


def _found_path(request: NetworkPickRequest, micrograph: Micrograph) -> Path:
    origin = identify(
        _CODE_VERSION,
        micrograph,
        identify_file(micrograph.path),
        [identify_file(request.model / name) for name in (CARD_FILE, WEIGHTS_FILE)],
        request.hydra,
    )
    return request.found / f"{micrograph.name}.{origin[:16]}.h5"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that picks with any trained model, then chooses a threshold.

Maxima on unusable area are left out first, so that the threshold is that of the others.
The picks of a micrograph are kept in a file of their own, named by a digest of their
inputs. So a killed run resumes, and another threshold takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.populations.score_calibration import (
    ScoreCalibration,
)
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pipeline import mask
from deepconsensus_plugin.core.pipeline.network_finding import find_each, find_nulls
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.pipeline.nulls import Null, choose_nulls, compare_peaks
from deepconsensus_plugin.core.pipeline.score_evidence import (
    Evidence,
    calibrate,
    decide_threshold,
    gather_evidence,
)
from deepconsensus_plugin.core.types import (
    DIAMETER_PER_BOX,
    FloatArray,
    Micrograph,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.usable_area.files import area_path, read_area
from deepconsensus_plugin.core.usable_area.permitting import are_permitted, distance_of

_CODE_VERSION = 2
"""Raised when the same request gives other picks; older files are then ignored."""


def run(request: NetworkPickRequest, progress: Progress) -> NetworkPickResult:
    """Carry out a `NetworkPickRequest`.

    Raises
    ------
    ValueError
        If there is no micrograph.
    IncompatibleModelError
        If the model cannot pick a micrograph, which the error names.
    """
    found = find_all(request, progress)
    null = compare_with_nulls(request, found, progress)
    scores = _scores(found)
    evidence = gather_evidence(request, scores, null, progress)
    threshold, origin = decide_threshold(request, scores, evidence)
    picks = {name: x.take(x.scores >= threshold) for name, x in found.items()}
    write_coordinates(request.result, picks)
    why = _objection(null, evidence)
    calibration = calibrate(scores, evidence) if why is None else ScoreCalibration()
    numbers = evidence.numbers
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
        expected_recall=calibration.expected_recall(
            _scores(picks), scores, None if numbers is None else numbers.number
        ),
        numbers=numbers,
        null=null,
        why=why,
        timings=progress.timings,
    )


def _objection(null: NullComparison | None, evidence: Evidence) -> str | None:
    """Return why nothing can be expected of the picks; None if something can."""
    if null is not None and not null.has_evidence:
        return null.describe()
    if evidence.numbers is not None and evidence.numbers.number is None:
        return evidence.numbers.describe()
    return None


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
    """Return all maxima of the model on usable area, of any score.

    Those that files of an earlier run hold are not looked for again. Micrographs that
    are mostly unusable have none. The masks are written too.
    """
    if not request.micrographs:
        raise ValueError("expected micrographs to pick, received none")
    bad = mask.run(_mask_request(request), progress).bad_micrographs
    request.found.mkdir(parents=True, exist_ok=True)
    good = [each for each in request.micrographs if each.name not in bad]
    paths = {each.name: _found_path(request, each) for each in good}
    left = [each for each in good if not paths[each.name].is_file()]
    with progress.stage("pick", len(request.micrographs)) as count:
        count(len(request.micrographs) - len(left))
        found_in = find_each(request, left, progress.networks)
        for micrograph, here in zip(left, found_in, strict=True):
            write_coordinates(paths[micrograph.name], {micrograph.name: here})
            count(1)
    found = {name: read_coordinates(path)[name] for name, path in paths.items()}
    nothing = ScoredCoordinates.from_arrays([])
    return {
        each.name: _on_usable_area(request, each.name, found.get(each.name, nothing))
        for each in request.micrographs
    }


def _mask_request(request: NetworkPickRequest) -> mask.MaskRequest:
    card = load_card(request.model)
    extent_A, is_dark = card.box_extent_A, True
    if isinstance(card, PickerCard):
        extent_A = card.box_extent_of(request.options)
        is_dark = card.shows_dark_particles(request.options)
    return mask.MaskRequest(
        request.micrographs,
        request.masks,
        extent_A * DIAMETER_PER_BOX,
        request.workers,
        is_dark,
    )


def _on_usable_area(
    request: NetworkPickRequest, name: str, found: ScoredCoordinates
) -> ScoredCoordinates:
    """Return the maxima of a micrograph that lie where particles can be."""
    distance = distance_of(read_area(area_path(request.masks, name)), found.yx)
    avoid = request.avoid_contamination
    return found.take(are_permitted(distance, avoid_contamination=avoid))


def compare_with_nulls(
    request: NetworkPickRequest,
    found: Mapping[str, ScoredCoordinates],
    progress: Progress,
) -> NullComparison | None:
    """Return what the model finds on a few micrographs and on their nulls.

    Maxima on nulls are kept as those on micrographs are. None where nothing was found.
    """
    nulls = choose_nulls(request.micrographs, found)
    paths = {null: _found_path(request, null.micrograph, null) for null in nulls}
    left = [null for null in nulls if not paths[null].is_file()]
    with progress.stage("pick nulls", len(nulls)) as count:
        count(len(nulls) - len(left))
        found_in = find_nulls(request, left, progress.networks)
        for null, here in zip(left, found_in, strict=True):
            write_coordinates(paths[null], {null.micrograph.name: here})
            count(1)
    noise = (
        _on_usable_area(request, name, read_coordinates(paths[null])[name])
        for null in nulls
        for name in [null.micrograph.name]
    )
    return compare_peaks(load_card(request.model).kind, nulls, found, noise)


def _found_path(
    request: NetworkPickRequest, micrograph: Micrograph, null: Null | None = None
) -> Path:
    origin = digest(
        _CODE_VERSION,
        micrograph,
        digest_file(micrograph.path),
        [digest_file(request.model / name) for name in (CARD_FILE, WEIGHTS_FILE)],
        request.options,
        *([] if null is None else [null.seed, _masked(request, micrograph)]),
    )
    return request.found / f"{Path(micrograph.name).name}.{origin[:16]}.h5"


def _masked(request: NetworkPickRequest, micrograph: Micrograph) -> str:
    """Return a digest of the mask of a micrograph, on which its nulls depend."""
    return digest(read_area(area_path(request.masks, micrograph.name)).kinds)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Pick a whole set with a trained model of any kind, then choose a threshold.

What is found on a micrograph is kept in a file of its own, whose name tells what it was
made from. So a killed run goes on where it was, and another threshold takes seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from deepconsensus_plugin.core.execution import Progress, map_ahead
from deepconsensus_plugin.core.identity import identify, identify_file
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.models.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.pickers.trained import load_picker
from deepconsensus_plugin.core.pipeline.picker_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

logger = logging.getLogger(__name__)

_CODE_VERSION = 1
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
    picks = {
        name: each.take(each.scores >= request.threshold)
        for name, each in found.items()
    }
    write_coordinates(request.result, picks)
    n_found, n_picks = (sum(map(len, each.values())) for each in (found, picks))
    logger.info("%d of %d scored %g or more", n_picks, n_found, request.threshold)
    return NetworkPickResult(
        request.result, n_found, n_picks, request.threshold, progress.timings
    )


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
            picker = load_picker(request.model)
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
    )
    return request.found / f"{micrograph.name}.{origin[:16]}.h5"

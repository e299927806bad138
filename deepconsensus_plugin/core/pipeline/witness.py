# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that asks the general model for its opinion of candidates.

The general HydraPicker saw neither the picks nor the networks that learnt from them, so
its log-odds at a candidate are evidence of another kind. What it says of a micrograph
is kept in a file named by a digest of its inputs: a run that was killed resumes.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Executor, Progress, map_ahead
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.methods import load_card_of, model_files
from deepconsensus_plugin.core.networks.loaded import StoredModel
from deepconsensus_plugin.core.null_control.comparison import (
    NullComparison,
    compare_with_null,
)
from deepconsensus_plugin.core.null_control.phases import randomise_phases
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.picking import HydraPicker, load
from deepconsensus_plugin.core.pickers.hydra.rescaling import RescaledMicrograph
from deepconsensus_plugin.core.pickers.maps.scores_at import scores_at
from deepconsensus_plugin.core.pipeline.witness_request import (
    WitnessRequest,
    WitnessResult,
)
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

logger = logging.getLogger(__name__)

RADIUS = 0.15
"""Largest distance from a candidate of a place that counts for it, in boxes: centres of
pickers are off by up to a tenth, and the model looks at every 0.18."""

_CODE_VERSION = 2
"""Raised when the same request gives other numbers; older files are then ignored."""

_AT_CANDIDATES, _PEAKS, _NULL = "candidates", "peaks", "null"
"""Names under which a file of a micrograph holds what was found."""

_MOST_NULLS = 4
"""Micrographs that are compared with noise, spread evenly over all."""


def run(request: WitnessRequest, progress: Progress) -> WitnessResult:
    """Carry out a `WitnessRequest`.

    Raises
    ------
    ValueError
        If candidates lie on no micrograph of the request.
    """
    coordinates = read_coordinates(request.coordinates)
    micrographs = [m for m in request.micrographs if len(coordinates.get(m.name, ()))]
    if not micrographs:
        raise ValueError(
            f"{request.coordinates}: expected candidates on the "
            f"{len(request.micrographs)} micrographs, received none"
        )
    found = _look(request, micrographs, coordinates, progress)
    log_odds = {name: both[_AT_CANDIDATES] for name, both in found.items()}
    write_coordinates(request.log_odds, log_odds)
    write_coordinates(
        request.peaks, {name: both[_PEAKS] for name, both in found.items()}
    )
    _compare(found, request.seed).write(request.null)
    n_candidates = sum(map(len, log_odds.values()))
    logger.info("General model: %d candidates looked at", n_candidates)
    return WitnessResult(n_candidates, len(micrographs), progress.timings)


def _look(
    request: WitnessRequest,
    micrographs: list[Micrograph],
    coordinates: Mapping[str, ScoredCoordinates],
    progress: Progress,
) -> dict[str, dict[str, ScoredCoordinates]]:
    """Return what the model says of each micrograph, from files where they exist."""
    request.seen.mkdir(parents=True, exist_ok=True)
    compared = _choose_compared(micrographs)
    paths = {
        m.name: _path(request, m, coordinates[m.name].yx, m.name in compared)
        for m in micrographs
    }
    left = [m for m in micrographs if not paths[m.name].is_file()]
    with progress.stage("ask general model", len(micrographs)) as count:
        count(len(micrographs) - len(left))
        places = [_Place(m, coordinates[m.name].yx, m.name in compared) for m in left]
        looked = _look_at_each(request, places, progress.networks)
        for micrograph, here in zip(left, looked, strict=True):
            write_coordinates(paths[micrograph.name], here)
            count(1)
    return {name: read_coordinates(path) for name, path in paths.items()}


@dataclass(frozen=True, eq=False)
class _Place:
    """Micrograph to look at, its candidates, and whether noise is compared with it."""

    micrograph: Micrograph
    yx: FloatArray
    is_compared: bool


def _look_at_each(
    request: WitnessRequest, places: list[_Place], elsewhere: Executor | None
) -> Iterator[dict[str, ScoredCoordinates]]:
    """Yield what the model says of each place; micrographs are prepared ahead."""
    look = functools.partial(_look_with, request.box_size, request.seed)
    if elsewhere is not None:
        model = StoredModel.of(_load, request.model, request.options)
        there = functools.partial(_look_there, model, look)
        yield from elsewhere.map(there, places, workers=request.workers)
    elif places:
        picker = _load(request.model, request.options)
        micrographs = [place.micrograph for place in places]
        prepared = map_ahead(picker.prepare, micrographs, workers=request.workers)
        for place, each in zip(places, prepared, strict=True):
            yield look(picker, place, each)


def _load(folder: Path, options: HydraPickOptions) -> HydraPicker:
    return load(folder, load_card_of(folder, HydraCard), options)


def _look_there(
    model: StoredModel[HydraPicker],
    look: Callable[..., dict[str, ScoredCoordinates]],
    place: _Place,
) -> dict[str, ScoredCoordinates]:
    with model.computing() as picker:
        return look(picker, place, picker.prepare(place.micrograph))


def _look_with(
    box_size: int,
    seed: int,
    picker: HydraPicker,
    place: _Place,
    prepared: RescaledMicrograph,
) -> dict[str, ScoredCoordinates]:
    """Return what the model says of a place, and of noise where that is compared."""
    here = _look_at(picker, prepared, place.yx, box_size)
    if place.is_compared:
        here[_NULL] = _look_at_null(picker, prepared, place.micrograph, seed)
    return here


def _look_at(
    picker: HydraPicker, prepared: RescaledMicrograph, yx: FloatArray, box_size: int
) -> dict[str, ScoredCoordinates]:
    """Return the log-odds at coordinates of a micrograph, and all its maxima."""
    found = picker.detect_all(prepared.image)
    places = ScoredCoordinates(prepared.to_micrograph(found.yx), found.scores)
    peaks = picker.suppress(found)
    return {
        _AT_CANDIDATES: ScoredCoordinates(
            yx, scores_at(yx, places, radius_px=RADIUS * box_size)
        ),
        _PEAKS: ScoredCoordinates(prepared.to_micrograph(peaks.yx), peaks.scores),
    }


def _choose_compared(micrographs: Sequence[Micrograph]) -> set[str]:
    """Return the names of the micrographs that are compared with noise."""
    n = min(_MOST_NULLS, len(micrographs))
    rows = np.linspace(0, len(micrographs) - 1, n).round().astype(int)
    return {micrographs[row].name for row in rows.tolist()}


def _look_at_null(
    picker: HydraPicker, prepared: RescaledMicrograph, micrograph: Micrograph, seed: int
) -> ScoredCoordinates:
    """Return the maxima on noise with the spectrum of a prepared micrograph."""
    rng = np.random.default_rng([seed, *micrograph.name.encode()])
    return picker.detect(randomise_phases(prepared.image, rng))


def _compare(
    found: Mapping[str, Mapping[str, ScoredCoordinates]], seed: int
) -> NullComparison:
    """Return the comparison of the maxima on micrographs with those on noise."""
    compared = [here for here in found.values() if _NULL in here]
    return compare_with_null(
        "general model",
        [here[_PEAKS].scores for here in compared],
        [here[_NULL].scores for here in compared],
        rng=np.random.default_rng(seed),
    )


def _path(
    request: WitnessRequest, micrograph: Micrograph, yx: FloatArray, is_compared: bool
) -> Path:
    origin = digest(
        _CODE_VERSION,
        micrograph.sampling_rate,
        digest_file(micrograph.path),
        [digest_file(path) for path in model_files(request.model)],
        request.options,
        request.box_size,
        yx,
        request.seed if is_compared else None,
    )
    return request.seen / f"{Path(micrograph.name).name}.{origin[:16]}.h5"

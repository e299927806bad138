# SPDX-License-Identifier: GPL-3.0-or-later
"""Our Topaz on a `LearningSet`: the jobs that the protocols run, and their costs."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.topaz.figures import LearningFigures, evaluate
from benchmarks.topaz.sets import LearningSet
from deepconsensus_plugin.core.digests import digest
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.topaz.picking import TopazPicker, load_network
from deepconsensus_plugin.core.pickers.topaz.request import TopazTrainRequest
from deepconsensus_plugin.core.pickers.trained.prepared import prepare_for_network
from deepconsensus_plugin.core.pickers.trained.requests import (
    LearningInput,
    PickerTrainResult,
)
from deepconsensus_plugin.core.pipeline.network_pick import find_all
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    NetworkPickResult,
)
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_CODE_VERSION = 1
"""Raised when the same cell gives other figures; kept cells are then made anew."""


@dataclass(frozen=True)
class Cell:
    """One training, tried on the test micrographs.

    Seconds of an update and of a micrograph on the clock and of the processor; memory
    of the processes at their highest. The start of a process counts as training, not as
    picking: what picking again costs, when everything is kept, is taken off.
    """

    figures: LearningFigures
    update_s: float
    update_cpu_s: float
    micrograph_s: float
    micrograph_cpu_s: float
    train_mebibytes: float
    pick_mebibytes: float


def run_cell(
    learning: LearningSet,
    labels: Mapping[str, ScoredCoordinates],
    folder: Path,
    parameters: TopazParameters,
    *,
    pixels_per_diameter: float | None = None,
    validation_fraction: float = 0.0,
    threads: int = 2,
) -> Cell:
    """Train on labels, pick the test micrographs, and return the figures.

    What `folder` holds of the same cell is kept. With another pixel size than the set's
    (`pixels_per_diameter`) there is no figure of regions. `threads` are those of the
    network's operations; batches are drawn in others.
    """
    origin = digest(
        *(_CODE_VERSION, parameters, learning.name, validation_fraction),
        pixels_per_diameter,
        *(marks.yx for _, marks in sorted(labels.items())),
    )
    done = folder / "cell.json"
    if done.exists() and (kept := read_json(done))["origin"] == origin:
        return from_plain(kept["cell"], Cell, path=done)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_coordinates(folder / "labels.h5", labels)
    asked = LearningInput(
        micrographs=learning.train,
        labels=folder / "labels.h5",
        set_name=learning.name,
        box_size=round(learning.box_size),
        particle_diameter_A=learning.diameter_A,
        pixel_size_A=_pixel_size(learning, pixels_per_diameter),
        n_particles=learning.n_particles,
        validation_fraction=validation_fraction,
        seed=parameters.seed,
    )
    request = TopazTrainRequest(asked, parameters, folder / "model")
    cell = _measure(learning, request, threads, has_regions=pixels_per_diameter is None)
    write_json(done, {"origin": origin, "cell": to_plain(cell)})
    shutil.rmtree(folder / "found")
    return cell


def _measure(
    learning: LearningSet,
    request: TopazTrainRequest,
    threads: int,
    *,
    has_regions: bool,
) -> Cell:
    """Return the figures of a training, and of picking with its model."""
    folder = request.model.parent
    train_cpu_s = _run(folder / "train.json", request, threads)
    trained = read_result(folder / "train.json", PickerTrainResult)
    asked_to_pick = NetworkPickRequest(
        learning.test, folder / "model", folder / "found", folder / "picks.h5", 0.0
    )
    pick_cpu_s = _run(folder / "pick.json", asked_to_pick, threads)
    picked = read_result(folder / "pick.json", NetworkPickResult)
    pick_cpu_s -= _run(folder / "again.json", asked_to_pick, threads)
    n_updates, n_picked = trained.history[0][-1].update, len(learning.test)
    return Cell(
        _evaluate_request(learning, asked_to_pick, has_regions=has_regions),
        update_s=trained.timings["train"].seconds / n_updates,
        update_cpu_s=train_cpu_s / n_updates,
        micrograph_s=picked.timings["pick"].seconds / n_picked,
        micrograph_cpu_s=pick_cpu_s / n_picked,
        train_mebibytes=trained.timings["train"].peak_memory_mb,
        pick_mebibytes=picked.timings["pick"].peak_memory_mb,
    )


def _run(job: Path, request: object, threads: int) -> float:
    """Carry out a job by itself; seconds of the processor, those of its start too."""
    write_job(job, request)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "deepconsensus_plugin.core.jobs", str(job)]
    environment = os.environ | {
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
    }
    with job.with_suffix(".log").open("w") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _pixel_size(learning: LearningSet, pixels_per_diameter: float | None) -> float:
    if pixels_per_diameter is None:
        return learning.binning * learning.sampling_rate
    return learning.diameter_A / pixels_per_diameter


def _evaluate_request(
    learning: LearningSet, request: NetworkPickRequest, *, has_regions: bool
) -> LearningFigures:
    """Return the figures of a finished request; regions by the map of every pixel."""
    if not has_regions:
        return evaluate(learning, find_all(request, Progress()), None)
    card = load_card_of(request.model, TopazCard)
    picker = TopazPicker(
        load_network(request.model, card),
        card.training,
        card.preprocessing,
        particle_diameter_A=card.particle_diameter_A,
        map_step=1,
    )
    micrographs = {each.name: each for each in learning.test}

    def read_scores(name: str) -> np.ndarray:
        prepared = prepare_for_network(micrographs[name], card.preprocessing)
        return picker.score(prepared).values

    return evaluate(learning, find_all(request, Progress()), read_scores)

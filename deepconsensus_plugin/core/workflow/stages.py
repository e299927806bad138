# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages of the chain that look at micrographs: negatives, training and scoring.

Each stage is a job with its files in a folder. By default it runs in this process, and
is skipped if the folder holds its result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import choose_min_pickers
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    ScoreRequest,
    ScoringParameters,
    TrainRequest,
)
from deepconsensus_plugin.core.io.scores import EnsembleScores, read_scores
from deepconsensus_plugin.core.io.tables import (
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.core.workflow.files import made_folder
from deepconsensus_plugin.core.workflow.further_boxes import FurtherBoxes
from deepconsensus_plugin.core.workflow.geometry import preprocessing_of
from deepconsensus_plugin.core.workflow.running import KeptJobs, RunJob

Coordinates = dict[str, ScoredCoordinates]

_WORKERS = NegativesRequest.workers
_NO_MORE = FurtherBoxes()


def draw_negatives(
    micrographs: Sequence[Micrograph],
    candidates: Candidates,
    folder: Path | str,
    *,
    box_size: int,
    parameters: NegativesParameters | None = None,
    n_positives: int | None = None,
    masks: Path | None = None,
    avoid: Mapping[str, ScoredCoordinates] | None = None,
    workers: int = _WORKERS,
    run_job: RunJob | None = None,
) -> Coordinates:
    """Return coordinates of background for the training, away from every candidate.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of the candidates.
    candidates : Candidates
        Result of `find_consensus`.
    folder : Path or str
        Folder of ``candidates.h5`` and ``negatives.h5``.
    box_size : int
        Side of the box, pixels.
    parameters : NegativesParameters, optional
        Kinds of negatives, and their number per positive.
    n_positives : int, optional
        Number of positives that negatives are drawn for: candidates of the strictest
        agreement that keeps at least this many. None: the usual minimum for training.
    masks : Path, optional
        Folder of the masks of the micrographs (`core.workflow.masks`).
    avoid : mapping of micrograph name to ScoredCoordinates, optional
        Further places that random and off-centre negatives stay away from, such as
        `find_likely_particles` gives.
    workers : int
        Number of threads.
    run_job : callable, optional
        Function that carries out the job. None: a `KeptJobs`.

    Returns
    -------
    dict of str to ScoredCoordinates
        By micrograph; scores are values of `NegativeKind`.

    Raises
    ------
    ValueError
        If no micrograph was observed by all pickers, or all are smaller than the box.
    """
    folder = made_folder(folder)
    aim = ConsensusRules().min_positives if n_positives is None else n_positives
    write_candidates(folder / "candidates.h5", candidates)
    avoided = folder / "avoided.h5" if avoid else None
    if avoid and avoided:
        write_coordinates(avoided, avoid)
    request = NegativesRequest(
        micrographs=tuple(micrographs),
        candidates=folder / "candidates.h5",
        box_size=box_size,
        min_pickers=choose_min_pickers(candidates, min_positives=aim),
        result=folder / "negatives.h5",
        n_positives=n_positives,
        masks=masks,
        avoid=avoided,
        workers=workers,
        **_values(parameters or NegativesParameters()),
    )
    (run_job or KeptJobs(folder))(request)
    return read_coordinates(request.result)


def train(
    micrographs: Sequence[Micrograph],
    particles: Mapping[str, ScoredCoordinates],
    background: Mapping[str, ScoredCoordinates],
    folder: Path | str,
    *,
    box_size: int,
    particles_name: str = "particles",
    parameters: TrainingParameters | None = None,
    preprocessing: BoxPreprocessing | None = None,
    initial_model: Path | None = None,
    further: FurtherBoxes = _NO_MORE,
    dataset: Path | None = None,
    workers: int = _WORKERS,
    run_job: RunJob | None = None,
) -> Path:
    """Train a model to tell particles from background, and return its folder.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of the coordinates.
    particles, background : mapping of micrograph name to ScoredCoordinates
        Centres, pixels of the micrographs; their scores are not used.
    folder : Path or str
        Folder of ``agreed.h5``, ``background.h5`` and ``model``.
    box_size : int
        Side of the box, pixels.
    particles_name : str
        Name of the particles in the card of the model.
    parameters : TrainingParameters, optional
        Parameters of the training.
    preprocessing : BoxPreprocessing, optional
        Preprocessing of boxes. None: that of `preprocessing_of`.
    initial_model : Path, optional
        Model folder to start from instead of random weights.
    further : FurtherBoxes
        Further sets to train on, or to test on.
    dataset : Path, optional
        Temporary file of the boxes, deleted at the end. None: ``boxes.h5``.
    workers : int
        Number of threads.
    run_job : callable, optional
        Function that carries out the job. None: a `KeptJobs`.

    Raises
    ------
    ValueError
        If there is no particle, or no background, to train on.
    IncompatibleModelError
        If the initial model was made for boxes of another size.
    """
    folder = made_folder(folder)
    if preprocessing is None:
        rate = micrographs[0].sampling_rate
        preprocessing = preprocessing_of(initial_model, box_size, rate)
    write_coordinates(folder / "agreed.h5", particles)
    write_coordinates(folder / "background.h5", background)
    request = TrainRequest(
        micrographs=(*micrographs, *further.micrographs),
        sources=(
            BoxSource(particles_name, folder / "agreed.h5", True),
            BoxSource("background", folder / "background.h5", False),
            *further.sources,
        ),
        box_size=box_size,
        preprocessing=preprocessing,
        parameters=parameters or TrainingParameters(),
        dataset=dataset or folder / "boxes.h5",
        model=folder / "model",
        initial_model=initial_model,
        workers=workers,
    )
    (run_job or KeptJobs(folder))(request)
    request.dataset.unlink(missing_ok=True)
    return request.model


def score(
    micrographs: Sequence[Micrograph],
    coordinates: Mapping[str, ScoredCoordinates],
    model: Path | str,
    folder: Path | str,
    *,
    box_size: int,
    parameters: ScoringParameters | None = None,
    workers: int = _WORKERS,
    run_job: RunJob | None = None,
) -> EnsembleScores:
    """Return the scores that the networks of a model give to coordinates.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of the coordinates; those without any are left out.
    coordinates : mapping of micrograph name to ScoredCoordinates
        Centres, pixels, such as ``candidates.coordinates()``; n in all.
    model : Path or str
        Model folder.
    folder : Path or str
        Folder of ``coordinates.h5`` and ``scores.h5``.
    box_size : int
        Side of the box, pixels.
    parameters : ScoringParameters, optional
        Batch size, precision and particle stacks.
    workers : int
        Number of threads.
    run_job : callable, optional
        Function that carries out the job. None: a `KeptJobs`.

    Returns
    -------
    EnsembleScores
        n, in the order of `coordinates`.

    Raises
    ------
    IncompatibleModelError
        If the model was trained on boxes of another size in Å.
    ValueError
        If a coordinate lies on a micrograph that is not given.
    """
    folder = made_folder(folder)
    write_coordinates(folder / "coordinates.h5", coordinates)
    request = ScoreRequest(
        micrographs=tuple(m for m in micrographs if m.name in coordinates),
        coordinates=folder / "coordinates.h5",
        box_size=box_size,
        model=Path(model),
        scores=folder / "scores.h5",
        workers=workers,
        **_values(parameters or ScoringParameters()),
    )
    (run_job or KeptJobs(folder))(request)
    return read_scores(request.scores)


def _values(parameters: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name, as they are."""
    return {each.name: getattr(parameters, each.name) for each in fields(parameters)}

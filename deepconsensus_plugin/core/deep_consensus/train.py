# SPDX-License-Identifier: GPL-3.0-or-later
"""Training job: cut labelled boxes, train an ensemble on them, save the model.

A run that is killed and started again resumes: with the boxes if they were all cut, and
with every network from its last validation.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace

import keras
import numpy as np

from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.datasets import (
    LabelledBoxes,
    LabelledCoordinates,
)
from deepconsensus_plugin.core.deep_consensus.ensemble import train_ensemble
from deepconsensus_plugin.core.deep_consensus.labelled import (
    check_labels,
    collect_coordinates,
    store_boxes,
)
from deepconsensus_plugin.core.deep_consensus.pruning import prune_labels
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    Role,
    TrainRequest,
    TrainResult,
)
from deepconsensus_plugin.core.deep_consensus.scoring import predict
from deepconsensus_plugin.core.deep_consensus.store import save_model
from deepconsensus_plugin.core.deep_consensus.training import TrainedNetwork
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.metrics.classification import (
    ClassificationMetrics,
    classification_metrics,
)
from deepconsensus_plugin.core.networks.card import TrainingSet
from deepconsensus_plugin.core.networks.history import states_folder
from deepconsensus_plugin.core.networks.versions import used_versions


def run(request: TrainRequest, progress: Progress) -> TrainResult:
    """Carry out a `TrainRequest`.

    Raises
    ------
    ValueError
        If there is no particle or no background to learn from.
    IncompatibleModelError
        If the model to start from was made for other boxes.
    """
    learnt = check_labels(collect_coordinates(request, Role.TRAINING))
    tested = collect_coordinates(request, Role.TESTING)
    data = store_boxes(learnt, request, request.dataset, progress)
    noise = None
    if request.parameters.prune_labels:
        data, noise = prune_labels(
            data,
            skip_pruning=[
                source.believed for source in _sources(request, Role.TRAINING)
            ],
            seed=request.parameters.seed,
        )
    partial = states_folder(request.model)
    trained, forms = train_ensemble(data, request, partial, progress)
    networks = [member.network for member in trained]
    testing = None
    if tested is not None:
        path = request.dataset.with_name("testing_" + request.dataset.name)
        testing = _test(networks, store_boxes(tested, request, path, progress))
    card = replace(
        _describe(request, data.rows, tested, trained, testing),
        label_noise=noise,
        forms=forms,
    )
    save_model(request.model, networks, card)
    shutil.rmtree(partial)
    return TrainResult(
        model=request.model,
        n_positives=int(data.rows.is_particle.sum()),
        n_negatives=int((~data.rows.is_particle).sum()),
        validation=card.validation,
        testing=testing,
        history=[member.history for member in trained],
        timings=progress.timings,
    )


def _test(
    networks: Sequence[keras.Model], boxes: LabelledBoxes
) -> ClassificationMetrics:
    scores = EnsembleScores.of(predict(networks, boxes.boxes))
    return classification_metrics(boxes.rows.is_particle, scores.mean)


def _describe(
    request: TrainRequest,
    learnt: LabelledCoordinates,
    tested: LabelledCoordinates | None,
    trained: Sequence[TrainedNetwork],
    testing: ClassificationMetrics | None,
) -> EnsembleCard:
    """Write the card of the new model."""
    return EnsembleCard(
        n_models=len(trained),
        box_size=request.box_size,
        sampling_rate=request.micrographs[0].sampling_rate,
        preprocessing=request.preprocessing,
        training=request.parameters,
        training_sets=_sets(request, Role.TRAINING, learnt),
        testing_sets=[] if tested is None else _sets(request, Role.TESTING, tested),
        validation=[member.validation for member in trained],
        testing=testing,
        versions=used_versions(),
    )


def _sets(
    request: TrainRequest, role: Role, rows: LabelledCoordinates
) -> list[TrainingSet]:
    """Return the number of boxes of each source of a role."""
    sources = _sources(request, role)
    counts = np.bincount(rows.source, minlength=len(sources))
    return [
        TrainingSet(source.name, source.is_particle, int(count), source.weight)
        for source, count in zip(sources, counts, strict=True)
    ]


def _sources(request: TrainRequest, role: Role) -> list[BoxSource]:
    """Return the sources of a role, in the order that rows number them."""
    return [source for source in request.sources if source.role is role]

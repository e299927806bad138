# SPDX-License-Identifier: GPL-3.0-or-later
"""Training job of DeepEM, in rounds (Zhu et al. 2017).

After a round the picker is run on its training micrographs. Its false positives, and
the particles at the positions that it finds, are added to the boxes, and training
continues from the last weights. The best round is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.digests import digest
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.networks.stopping import stopping_patience
from deepconsensus_plugin.core.networks.versions import used_versions
from deepconsensus_plugin.core.pickers.deepem.boxes import DeepEMBoxes
from deepconsensus_plugin.core.pickers.deepem.card import DeepEMCard
from deepconsensus_plugin.core.pickers.deepem.parameters import DeepEMRound
from deepconsensus_plugin.core.pickers.deepem.picking import DeepEMPicker
from deepconsensus_plugin.core.pickers.deepem.request import DeepEMTrainRequest
from deepconsensus_plugin.core.pickers.deepem.selection import (
    find_f2_threshold,
    learn_deviations,
)
from deepconsensus_plugin.core.pickers.deepem.task import DeepEMTask
from deepconsensus_plugin.core.pickers.trained.data import (
    MATCH_RADIUS,
    LearningData,
    collect,
)
from deepconsensus_plugin.core.pickers.trained.requests import PickerTrainResult
from deepconsensus_plugin.core.pickers.trained.store import save_picker
from deepconsensus_plugin.core.pickers.trained.task_training import (
    forget_states,
    train_task,
)
from deepconsensus_plugin.core.pickers.trained.training import Schedule
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation
from deepconsensus_plugin.core.types import ScoredCoordinates

logger = logging.getLogger(__name__)

_CODE_VERSION = 2
"""Raised when the same request gives other results; older states are then ignored."""


def run(request: DeepEMTrainRequest, progress: Progress) -> PickerTrainResult:
    """Carry out a `DeepEMTrainRequest`.

    Raises
    ------
    ValueError
        If there are no labels, or no background beside them.
    """
    data = collect(request.learnt, progress)
    rounds = _RoundTrainer(request, data, progress)
    for number in range(1, request.parameters.n_rounds + 1):
        rounds.train(number)
    network, picker = rounds.best()
    validation = data.validate(picker.find) if data.held_out else None
    card = _describe(request, data, rounds, validation)
    save_picker(request.model, network, card)
    forget_states(request.model)
    return PickerTrainResult(
        model=request.model,
        n_micrographs=len(data.learnt),
        n_labels=sum(len(data.labels[name]) for name in data.learnt),
        validation=validation,
        history=rounds.histories,
        timings=progress.timings,
    )


class _RoundTrainer:
    """Trainer of the network; a step is one round."""

    def __init__(
        self, request: DeepEMTrainRequest, data: LearningData, progress: Progress
    ) -> None:
        self.request, self.data, self.progress = request, data, progress
        parameters = request.parameters
        self.boxes = DeepEMBoxes(data, parameters)
        examples = self.boxes.labelled(data.learnt, stream=0)
        held_out = None
        if data.held_out:
            held_out = self.boxes.labelled(sorted(data.held_out), stream=1)
        self.task = DeepEMTask(examples, held_out, parameters)
        self.picker = DeepEMPicker(
            self.task.network,
            self.task.architecture,
            data.preprocessing,
            particle_diameter_A=request.learnt.particle_diameter_A,
            deviations=learn_deviations(examples.particles.std(axis=(1, 2))),
        )
        self.histories: list[list[Checkpoint]] = []
        self.figures: list[DeepEMRound] = []
        self._weights: list[list[NDArray[np.float32]]] = []

    def train(self, number: int) -> None:
        """Add the mistakes of the previous round, train, and validate."""
        parameters, task = self.request.parameters, self.task
        if number > 1:
            self._add_mistakes(number)
        schedule = Schedule(
            n_epochs=parameters.n_epochs,
            n_updates=parameters.n_updates,
            seed=parameters.seed + number - 1,
            patience=stopping_patience(parameters.n_epochs),
            wanted_accuracy=parameters.wanted_accuracy,
        )
        history = train_task(
            task,
            schedule,
            model=self.request.model,
            made_from=digest(_CODE_VERSION, self.data.origin(), parameters, number),
            progress=self.progress,
            number=number,
        )
        self.picker.refresh(task.network)
        self.histories.append(history)
        self._weights.append(task.network.get_weights())
        self.figures.append(self._judge(number))
        logger.info("%s", self.figures[-1])

    def best(self) -> tuple[keras.Model, DeepEMPicker]:
        """Return network and picker of the best round, the last of equal ones."""
        network = self.task.network
        network.set_weights(self._weights[best_round(self.figures)])
        self.picker.refresh(network)
        return network, self.picker

    def _add_mistakes(self, number: int) -> None:
        """Add the picks to the boxes, for training and for validation."""
        data, task = self.data, self.task
        task.examples = task.examples.with_more(
            *self.boxes.found(self._taken(data.learnt), stream=2 * number)
        )
        if task.held_out is not None:
            found = self._taken(sorted(data.held_out))
            task.held_out = task.held_out.with_more(
                *self.boxes.found(found, stream=2 * number + 1)
            )

    def _taken(self, names: Sequence[str]) -> dict[str, ScoredCoordinates]:
        """Return the picks above the threshold, by micrograph."""
        found = {}
        with self.progress.stage("look for mistakes", len(names)) as count:
            for name in names:
                here = self.picker.find(self.data.prepared[name])
                found[name] = here.take(here.scores >= 0)
                count(1)
        return found

    def _judge(self, number: int) -> DeepEMRound:
        """Return the metrics of a round, on held-out micrographs if there are any."""
        data = self.data
        names = sorted(data.held_out) or data.learnt
        found = {name: self.picker.find(data.prepared[name]) for name in names}
        labels = {name: data.labels[name] for name in names}
        radius = MATCH_RADIUS * data.asked.box_size
        examples, last = self.task.examples, self.histories[-1][-1]
        return DeepEMRound(
            number=number,
            n_particles=len(examples.particles),
            n_others=len(examples.all_others),
            accuracy=last.validation_accuracy,
            operating_point=find_f2_threshold(found, labels, radius_px=radius),
        )


def best_round(figures: list[DeepEMRound]) -> int:
    """Return the index of the round with the largest F₂, the last of equal ones."""
    f2 = [0.0 if f.operating_point is None else f.operating_point.f2 for f in figures]
    return len(f2) - 1 - int(np.argmax(f2[::-1]))


def _describe(
    request: DeepEMTrainRequest,
    data: LearningData,
    rounds: _RoundTrainer,
    validation: PickerValidation | None,
) -> DeepEMCard:
    """Write the card of the new model."""
    learnt = request.learnt
    return DeepEMCard(
        box_size=learnt.box_size,
        sampling_rate=learnt.micrographs[0].sampling_rate,
        training_sets=data.training_sets(),
        versions=used_versions(),
        particle_diameter_A=learnt.particle_diameter_A,
        preprocessing=data.preprocessing,
        validation=validation,
        training=request.parameters,
        deviations=rounds.picker.deviations,
        rounds=rounds.figures,
    )

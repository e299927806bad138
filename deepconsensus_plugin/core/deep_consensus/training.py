# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of one network of an ensemble (Sanchez-Garcia et al. 2018, section 2.2).

Training uses Adam, cross entropy, and flips and rotations; the learning rate follows
the validation accuracy. Additions to the paper: validation is on whole micrographs, the
best weights are kept, both labels have equal weight, all random draws are seeded, and a
killed training resumes from its last validation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from deepconsensus_plugin.core.deep_consensus.batches import Batch, Batches
from deepconsensus_plugin.core.deep_consensus.best_checkpoint import (
    BestCheckpoint,
    Patience,
    balanced_loss,
    is_exhausted,
)
from deepconsensus_plugin.core.deep_consensus.datasets import (
    LabelledBoxes,
    LabelledCoordinates,
)
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.scoring import predict
from deepconsensus_plugin.core.deep_consensus.splits import (
    split_at_random,
    split_by_micrograph,
)
from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.metrics.classification import (
    ClassificationMetrics,
    average_precision,
    classification_metrics,
    count_at_thresholds,
)
from deepconsensus_plugin.core.networks.checkpoints import TrainingState
from deepconsensus_plugin.core.networks.finite import check_training
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_SHORTEST_INTERVAL, _LONGEST_INTERVAL = 10, 50
"""Bounds of the interval between validations, which is one epoch, or less where a
training may stop sooner; updates."""


@dataclass(frozen=True)
class TrainedNetwork:
    """Network with its best weights, the history of its training and its metrics."""

    network: keras.Model
    history: list[Checkpoint]
    validation: ClassificationMetrics


class MemberTrainer:
    """Trainer of one network of an ensemble; a step lasts until the next validation.

    Parameters
    ----------
    data : LabelledBoxes
        Both labels must be there.
    network : keras.Model
        Trained in place; see `initialise` for reproducible random weights.
    parameters : TrainingParameters
        Parameters of the training. ``parameters.seed`` and `member` seed the split, the
        order of boxes and the augmentation.
    member : int
        Number of the network in the ensemble.
    """

    def __init__(
        self,
        data: LabelledBoxes,
        network: keras.Model,
        parameters: TrainingParameters,
        member: int,
    ) -> None:
        self.data, self.network, self.parameters = data, network, parameters
        self.member, self.update = member, 0
        rng, self.training, self.held_out = _split(data.rows, parameters, member)
        self.batches = Batches(data, self.training, size=parameters.batch_size, rng=rng)
        self.best = BestCheckpoint()
        self.n_updates = n_updates(data.rows, parameters, member)
        self.patience = Patience.of(parameters, self.n_updates)
        optimiser = keras.optimizers.Adam(parameters.learning_rate)
        optimiser.build(network.trainable_variables)
        network.compile(
            optimiser,
            "categorical_crossentropy",
            weighted_metrics=[],
            jit_compile=False,
        )

    @property
    def is_finished(self) -> bool:
        """Whether all updates are done or the learning rate has reached its minimum."""
        stopped = self.parameters.auto_stopping and is_exhausted(
            self.network, self.parameters
        )
        return stopped or self.update >= self.n_updates

    def advance(self, count: Callable[[int], None] = lambda _: None) -> None:
        """Train until the next validation, and validate; call `count` with updates.

        Raises
        ------
        ValueError
            If a weight or the training loss is not finite any more.
        """
        interval = self._validation_interval()
        self.network.reset_metrics()
        loss = 0.0
        updates = range(min(interval, self.n_updates - self.update))
        # One thread draws ahead: batches keep their order, and none is drawn beyond the
        # validation, so that the state saved there decides the next one.
        for batch in map_ahead(lambda _: self.batches.next(), updates, workers=1):
            loss = self._learn(batch)
            count(1)
        check_training(self.network, name=self._name, update=self.update, loss=loss)
        self._validate(mean_loss=loss)

    def result(self) -> TrainedNetwork:
        """Return the network with the weights of the lowest validation loss.

        Raises
        ------
        ValueError
            If there are none because no validation loss was finite.
        """
        if not self.best.best_weights:
            raise ValueError(
                f"{self._name}: expected a finite validation loss, "
                f"received none in {len(self.best.history)} validations: the "
                "training diverged; lower the learning rate "
                f"({self.parameters.learning_rate:g})"
            )
        self.network.set_weights(self.best.best_weights)
        labels = self.data.rows.is_particle[self.held_out]
        figures = classification_metrics(labels, self.best.best_scores)
        return TrainedNetwork(self.network, self.best.history, figures)

    def _validation_interval(self) -> int:
        """Return the updates between validations; several fill the patience exactly."""
        per_epoch = _updates_per_epoch(self.training, self.parameters)
        interval = min(max(per_epoch, _SHORTEST_INTERVAL), _LONGEST_INTERVAL)
        patience = self.patience.n_updates
        if not self.parameters.auto_stopping or patience < _SHORTEST_INTERVAL:
            return interval
        return math.ceil(patience / max(1, patience // interval))

    @property
    def _name(self) -> str:
        """Name of the network in errors."""
        return f"network {self.member + 1}"

    def variables(self) -> list[Any]:
        """Return the variables of the network and its optimiser."""
        return [*self.network.variables, *self.network.optimizer.variables]

    def state(self) -> TrainingState:
        """Return the state of the generator and the results of the validations."""
        numbers = {
            "update": self.update,
            "rng": self.batches.rng.bit_generator.state,
        }
        return self.best.added_to(numbers, {"queue": self.batches.queue})

    def resume(self, state: TrainingState) -> None:
        """Continue from a state that `state` returned."""
        self.update = int(state.numbers["update"])
        self.batches.rng.bit_generator.state = state.numbers["rng"]
        self.batches.queue = state.arrays["queue"]
        self.best = BestCheckpoint.of(state)

    def _learn(self, batch: Batch) -> float:
        """Update the network by a batch; return the mean loss since the validation."""
        loss = self.network.train_on_batch(
            batch.boxes, batch.targets, sample_weight=batch.weights
        )
        self.update += 1
        return float(np.asarray(loss).ravel()[0])

    def _validate(self, mean_loss: float) -> None:
        scores = predict([self.network], self.data.boxes[self.held_out])[:, 0]
        labels = self.data.rows.is_particle[self.held_out]
        checkpoint = Checkpoint(
            update=self.update,
            learning_rate=float(self.network.optimizer.learning_rate),
            training_loss=mean_loss,
            validation_loss=balanced_loss(labels, scores),
            validation_accuracy=float(((scores >= 0.5) == labels).mean()),
            validation_average_precision=_average_precision(labels, scores),
        )
        self.best.observe(self.network, checkpoint, scores, self.patience)


def _average_precision(labels: BoolArray, scores: FloatArray) -> float:
    """Return the average precision of scores; NaN after a training has diverged."""
    if not np.isfinite(scores).all():
        return float("nan")
    return average_precision(count_at_thresholds(labels, scores), int(labels.sum()))


def initialise(member: int, parameters: TrainingParameters) -> None:
    """Seed the generators of one network's initial weights and dropout."""
    entropy = np.random.SeedSequence([parameters.seed, member])
    keras.utils.set_random_seed(int(entropy.generate_state(1)[0]))


def n_updates(
    rows: LabelledCoordinates, parameters: TrainingParameters, member: int
) -> int:
    """Return the largest number of updates of a network of the ensemble."""
    if parameters.n_epochs is None:
        return parameters.n_updates
    _, training, _ = _split(rows, parameters, member)
    return parameters.n_epochs * _updates_per_epoch(training, parameters)


def _updates_per_epoch(training: IntArray, parameters: TrainingParameters) -> int:
    return max(1, round(len(training) / parameters.batch_size))


def _split(
    rows: LabelledCoordinates, parameters: TrainingParameters, member: int
) -> tuple[np.random.Generator, IntArray, IntArray]:
    """Return a network's generator, and its rows for training and for validation."""
    rng = np.random.default_rng([parameters.seed, member])
    split = split_by_micrograph if parameters.hold_out_micrographs else split_at_random
    return rng, *split(rows, parameters.validation_fraction, rng)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training loop that all pickers share: epochs of batches, best weights kept.

Each method defines its batches and its validation as a `TrainingTask`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.networks.checkpoints import TrainingState
from deepconsensus_plugin.core.networks.finite import check_training
from deepconsensus_plugin.core.networks.history import Checkpoint

logger = logging.getLogger(__name__)

_WORKERS = 2
"""Threads that draw batches ahead."""


@dataclass(frozen=True)
class Validated:
    """Result of a validation; NaN where unknown.

    Parameters
    ----------
    figure : float
        Average precision; the weights with the highest are kept.
    accuracy : float
        Share of held-out boxes that are classified correctly.
    """

    figure: float
    accuracy: float = math.nan


class TrainingTask(Protocol):
    """Part of the training that a method defines: network, batches and validation."""

    network: keras.Model
    """Compiled; trained in place."""

    def batch(self, rng: np.random.Generator) -> tuple[Any, Any]:
        """Return input and targets of one update; may be called in any thread."""

    def validate(self) -> Validated:
        """Return the result of a validation."""


@dataclass(frozen=True)
class Schedule:
    """Length of a picker's training, and its seed.

    Parameters
    ----------
    n_epochs, n_updates : int
        Epochs, and updates of each; >= 1.
    seed : int
        Every batch is drawn from a generator of its own, seeded by this and its number,
        so that it does not matter which thread draws it.
    patience : int, optional
        Epochs without a better validation after which training stops. Default: it never
        stops early.
    wanted_accuracy : float, optional
        Accuracy of a validation at which training stops. Default: no accuracy.
    """

    n_epochs: int
    n_updates: int
    seed: int
    patience: int | None = None
    wanted_accuracy: float | None = None


class PickerTrainer:
    """Trainer of a picker; a step lasts one epoch.

    Parameters
    ----------
    task : TrainingTask
        Task to train.
    schedule : Schedule
        Length of the training.
    """

    def __init__(self, task: TrainingTask, schedule: Schedule) -> None:
        self.task, self.schedule = task, schedule
        self.history: list[Checkpoint] = []
        self.best_weights: list[NDArray[np.float32]] = []
        self.best_epoch = 0
        network = task.network
        network.optimizer.build(network.trainable_variables)

    @property
    def is_finished(self) -> bool:
        """Whether training is done: all epochs, no improvement, or target reached."""
        done, patience = len(self.history), self.schedule.patience
        wanted = self.schedule.wanted_accuracy
        stopped = patience is not None and done - self.best_epoch >= patience
        reached = self.history[-1].validation_accuracy if done else math.nan
        is_enough = wanted is not None and reached >= wanted
        return stopped or is_enough or done >= self.schedule.n_epochs

    def advance(self, count: Callable[[int], None] = lambda _: None) -> None:
        """Train for an epoch and validate; call `count` with the number of updates.

        Raises
        ------
        ValueError
            If a weight or the training loss is not finite any more.
        """
        network, length = self.task.network, self.schedule.n_updates
        first = len(self.history) * length
        network.reset_metrics()
        loss = 0.0
        updates = range(first, first + length)
        for batch in map_ahead(self._draw, updates, workers=_WORKERS):
            loss = float(np.ravel(network.train_on_batch(*batch))[0])
            count(1)
        name = f"{network.name}, epoch {len(self.history) + 1}"
        check_training(network, name=name, update=first + length, loss=loss)
        self._validate(update=first + length, loss=loss)

    def finish(self) -> None:
        """Give the network the weights of its best epoch."""
        self.task.network.set_weights(self.best_weights)

    def variables(self) -> list[Any]:
        """Return the variables of the network and its optimiser."""
        network = self.task.network
        return [*network.variables, *network.optimizer.variables]

    def state(self) -> TrainingState:
        """Return the results of the validations."""
        numbers = {"best_epoch": self.best_epoch}
        return TrainingState(self.history, numbers, {}, self.best_weights)

    def resume(self, state: TrainingState) -> None:
        """Continue from a state that `state` returned."""
        self.history, self.best_weights = state.history, state.best_weights
        self.best_epoch = state.numbers["best_epoch"]

    def _draw(self, update: int) -> tuple[Any, Any]:
        return self.task.batch(np.random.default_rng([self.schedule.seed, update]))

    def _validate(self, *, update: int, loss: float) -> None:
        network, validated = self.task.network, self.task.validate()
        figure = validated.figure
        best = max((_figure(each) for each in self.history), default=-np.inf)
        self.history.append(
            Checkpoint(
                update=update,
                learning_rate=float(network.optimizer.learning_rate),
                training_loss=loss,
                validation_accuracy=validated.accuracy,
                validation_average_precision=figure,
            )
        )
        logger.debug("%s", self.history[-1])
        # Where nothing was ever said, later weights are better.
        if figure > best or (np.isnan(figure) and best == -np.inf):
            self.best_weights = network.get_weights()
            self.best_epoch = len(self.history)


def _figure(checkpoint: Checkpoint) -> float:
    figure = checkpoint.validation_average_precision
    return -np.inf if figure is None or np.isnan(figure) else figure

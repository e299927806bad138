# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of an ensemble (Sanchez-Garcia et al. 2018, section 2.2).

Adam and cross entropy; the learning rate is divided by ten when the validation accuracy
has not improved for a number of updates; flips and rotations. Ours: validation on whole
micrographs, the best weights kept, both labels of equal weight, everything seeded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np

from deepconsensus_plugin.core.datasets import (
    LabelledBoxes,
    augment,
    split_by_micrograph,
)
from deepconsensus_plugin.core.metrics.classification import (
    ClassificationMetrics,
    classification_metrics,
)
from deepconsensus_plugin.core.models.deep_consensus import PARTICLE
from deepconsensus_plugin.core.parameters import Checkpoint, TrainingParameters
from deepconsensus_plugin.core.scoring import predict
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

logger = logging.getLogger(__name__)

_SMALLEST_RATE_RATIO = 1e-3
_VALIDATION_INTERVAL = 50
"""Updates between validations, at most."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with its best weights, and how it came about."""

    network: keras.Model
    history: list[Checkpoint]
    validation: ClassificationMetrics


def updates_per_network(n_boxes: int, parameters: TrainingParameters) -> int:
    """Return how many updates a network gets from `n_boxes` boxes, at most."""
    n_training = n_boxes * (1 - parameters.validation_fraction)
    per_epoch = max(1, round(n_training / parameters.batch_size))
    return parameters.n_epochs * per_epoch


def train_network(
    data: LabelledBoxes,
    network: keras.Model,
    *,
    parameters: TrainingParameters,
    member: int,
    advance: Callable[[int], None] = lambda _: None,
) -> TrainedNetwork:
    """Train one network of an ensemble.

    Parameters
    ----------
    data : LabelledBoxes
        Both labels must be there.
    network : keras.Model
        Trained in place; see `initialise` for reproducible random weights.
    parameters : TrainingParameters
        How; ``parameters.seed`` and `member` seed split, order and augmentation.
    member : int
        Its number in the ensemble.
    advance : callable
        Told the number of updates done.
    """
    rng = np.random.default_rng([parameters.seed, member])
    training, held_out = split_by_micrograph(
        data.rows, parameters.validation_fraction, rng
    )
    weights = _balanced_weights(data, training)
    optimiser = keras.optimizers.Adam(parameters.learning_rate)
    network.compile(
        optimiser, "categorical_crossentropy", weighted_metrics=[], jit_compile=False
    )
    n_updates = updates_per_network(len(data), parameters)
    plateau = _Plateau(network, parameters)
    interval = min(_VALIDATION_INTERVAL, max(1, n_updates // parameters.n_epochs))
    losses: list[float] = []
    batches = _batches(training, parameters.batch_size, rng)
    for update in range(1, n_updates + 1):
        index = next(batches)
        loss = network.train_on_batch(
            augment(data.batch(index), rng),
            _targets(data, index),
            sample_weight=weights[index],
        )
        losses.append(float(np.asarray(loss).ravel()[0]))
        advance(1)
        if update % interval and update < n_updates:
            continue
        scores = predict([network], data.boxes[held_out])[:, 0]
        plateau.observe(update, float(np.mean(losses)), data, held_out, scores)
        losses.clear()
        if plateau.is_exhausted and parameters.auto_stopping:
            break
    if not plateau.has_learnt:
        raise ValueError(
            f"network {member + 1}: expected a finite validation loss, received none "
            f"in {len(plateau.history)} validations: the training diverged; lower "
            f"the learning rate ({parameters.learning_rate:g})"
        )
    network.set_weights(plateau.best_weights)
    labels = data.rows.is_particle[held_out]
    figures = classification_metrics(labels, plateau.best_scores)
    return TrainedNetwork(network, plateau.history, figures)


class _Plateau:
    """Keeps the best weights, and lowers the learning rate where nothing improves."""

    def __init__(self, network: keras.Model, parameters: TrainingParameters) -> None:
        self.network = network
        self.parameters = parameters
        self.history: list[Checkpoint] = []
        self.best_weights = network.get_weights()
        self.best_scores: FloatArray = np.empty(0)
        self._best_loss = np.inf
        self._best_accuracy = -np.inf
        self._last_improvement = 0

    @property
    def has_learnt(self) -> bool:
        """Whether there are weights to keep."""
        return bool(np.isfinite(self._best_loss))

    @property
    def is_exhausted(self) -> bool:
        """Whether the learning rate fell so low that nothing more will come."""
        lowest = self.parameters.learning_rate * _SMALLEST_RATE_RATIO
        return float(self.network.optimizer.learning_rate) < lowest * 1.01

    def observe(
        self,
        update: int,
        training_loss: float,
        data: LabelledBoxes,
        held_out: IntArray,
        scores: FloatArray,
    ) -> None:
        """Take note of validation scores after an update."""
        labels = data.rows.is_particle[held_out]
        loss = _balanced_loss(labels, scores)
        accuracy = float(((scores >= 0.5) == labels).mean())
        optimiser = self.network.optimizer
        rate = float(optimiser.learning_rate)
        checkpoint = Checkpoint(update, rate, float(training_loss), loss, accuracy)
        self.history.append(checkpoint)
        logger.debug("%s", checkpoint)
        if loss < self._best_loss:
            self._best_loss, self.best_scores = loss, scores
            self.best_weights = self.network.get_weights()
        if accuracy > self._best_accuracy:
            self._best_accuracy, self._last_improvement = accuracy, update
        elif update - self._last_improvement >= self.parameters.patience:
            optimiser.learning_rate = rate / 10
            self._last_improvement = update


def initialise(member: int, parameters: TrainingParameters) -> None:
    """Seed what draws initial weights and dropout of one network."""
    entropy = np.random.SeedSequence([parameters.seed, member])
    keras.utils.set_random_seed(int(entropy.generate_state(1)[0]))


def _batches(
    training: IntArray, batch_size: int, rng: np.random.Generator
) -> Iterator[IntArray]:
    """Yield batches of one size without end, every box once before any twice."""
    queue = rng.permutation(training)
    while True:
        while len(queue) < batch_size:
            queue = np.concatenate([queue, rng.permutation(training)])
        yield queue[:batch_size]
        queue = queue[batch_size:]


def _targets(data: LabelledBoxes, index: IntArray) -> FloatArray:
    """One-hot labels, shape (b, 2)."""
    particle = data.rows.is_particle[index]
    targets = np.zeros((len(index), 2), np.float32)
    targets[:, PARTICLE], targets[:, 1 - PARTICLE] = particle, ~particle
    return targets


def _balanced_weights(data: LabelledBoxes, training: IntArray) -> FloatArray:
    """Weights of all boxes: their source's, times what makes the labels equal."""
    is_particle = data.rows.is_particle
    weights = data.rows.weight.astype(np.float32)
    chosen = np.zeros(len(weights), dtype=bool)
    chosen[training] = True
    half = weights[chosen].sum() / 2
    for of_label in (is_particle, ~is_particle):
        weights = np.where(
            of_label, weights * (half / weights[chosen & of_label].sum()), weights
        )
    return np.asarray(weights / weights[chosen].mean(), dtype=np.float32)


def _balanced_loss(labels: BoolArray, scores: FloatArray) -> float:
    """Cross entropy with both labels of equal weight."""
    probability = np.clip(np.where(labels, scores, 1 - scores), 1e-7, 1.0)
    per_label = [-np.log(probability[labels == value]) for value in (True, False)]
    return float(np.mean([losses.mean() for losses in per_label if len(losses)]))

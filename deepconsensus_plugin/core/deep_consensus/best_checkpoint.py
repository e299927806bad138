# SPDX-License-Identifier: GPL-3.0-or-later
"""Best checkpoint of a training, with its learning rate schedule and early stopping.

The learning rate is divided by ten when the validation has not improved for a number of
updates (Sanchez-Garcia et al. 2018, section 2.2).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.networks.checkpoints import TrainingState
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.networks.stopping import stopping_patience
from deepconsensus_plugin.core.types import BoolArray, FloatArray

logger = logging.getLogger(__name__)

N_STAGES = 3
"""Times that the learning rate is divided by ten; after the last the training ends."""

_LEAST_GAIN = 0.01
"""Least relative fall of the loss that is an improvement; a rate that falls lowers the
loss a little even where there is nothing to learn."""

_NUMBERS = ("best_loss", "best_accuracy", "last_improvement")
_SCORES = "scores"
"""Names of numbers and arrays in a saved state."""


@dataclass(frozen=True)
class Patience:
    """Length of a training without improvement after which the learning rate falls.

    Parameters
    ----------
    n_updates : int
        Updates without improvement.
    counts_loss : bool
        Whether a validation loss that is 1 % lower is an improvement, besides a better
        accuracy.
    """

    n_updates: int
    counts_loss: bool

    @classmethod
    def of(cls, parameters: TrainingParameters, length: int) -> Patience:
        """Return the given one, by accuracy as published, or one for the length.

        The accuracy of few held-out boxes moves in steps: within a short training a
        lower loss tells more.
        """
        if parameters.patience is not None:
            return cls(parameters.patience, counts_loss=False)
        return cls(stopping_patience(length, n_stages=N_STAGES), counts_loss=True)


@dataclass(eq=False)
class BestCheckpoint:
    """State of the validations of one network so far: best accuracy and schedule.

    Parameters
    ----------
    history : list of Checkpoint
        Every validation.
    best_weights : list of arrays
        Weights of the network when its validation loss was lowest.
    best_scores : array
        Scores of the validation boxes at that time.
    best_loss, best_accuracy : float
        Lowest and highest so far.
    last_improvement : int
        Update at which the last improvement came, or the learning rate fell.
    """

    history: list[Checkpoint] = field(default_factory=list)
    best_weights: list[NDArray[np.float32]] = field(default_factory=list)
    best_scores: FloatArray = field(default_factory=lambda: np.empty(0))
    best_loss: float = float("inf")
    best_accuracy: float = float("-inf")
    last_improvement: int = 0

    def observe(
        self,
        network: keras.Model,
        checkpoint: Checkpoint,
        scores: FloatArray,
        patience: Patience,
    ) -> None:
        """Record a validation, and lower the learning rate if it is due.

        The weights of the network are finite (`core.networks.finite`).
        """
        self.history.append(checkpoint)
        logger.debug("%s", checkpoint)
        if checkpoint.validation_loss < self.best_loss:
            self.best_loss, self.best_scores = checkpoint.validation_loss, scores
            self.best_weights = network.get_weights()
        is_more_accurate = checkpoint.validation_accuracy > self.best_accuracy
        if is_more_accurate:
            self.best_accuracy = checkpoint.validation_accuracy
        if is_more_accurate or (patience.counts_loss and self._has_lower_loss()):
            self.last_improvement = checkpoint.update
        elif checkpoint.update - self.last_improvement >= patience.n_updates:
            network.optimizer.learning_rate = checkpoint.learning_rate / 10
            self.last_improvement = checkpoint.update

    def _has_lower_loss(self) -> bool:
        """Return whether the last loss is clearly below those to the improvement."""
        before = [
            each.validation_loss
            for each in self.history
            if each.update <= self.last_improvement
        ]
        lowest = min(before, default=float("inf"))
        return self.history[-1].validation_loss < lowest * (1 - _LEAST_GAIN)

    def added_to(
        self, numbers: dict[str, Any], arrays: dict[str, NDArray[Any]]
    ) -> TrainingState:
        """Return a state of numbers and arrays of a training, and of this object."""
        return TrainingState(
            history=self.history,
            numbers=numbers | {name: getattr(self, name) for name in _NUMBERS},
            arrays=arrays | {_SCORES: self.best_scores},
            best_weights=self.best_weights,
        )

    @classmethod
    def of(cls, state: TrainingState) -> BestCheckpoint:
        """Return the best checkpoint that `added_to` added to a state."""
        return cls(
            history=state.history,
            best_weights=state.best_weights,
            best_scores=state.arrays[_SCORES],
            **{name: state.numbers[name] for name in _NUMBERS},
        )


def is_exhausted(network: keras.Model, parameters: TrainingParameters) -> bool:
    """Return whether the learning rate is too low for any further improvement."""
    lowest = parameters.learning_rate * 10.0**-N_STAGES
    return float(network.optimizer.learning_rate) < lowest * 1.01


def balanced_loss(labels: BoolArray, scores: FloatArray) -> float:
    """Return the cross entropy of scores with both labels of equal weight."""
    probability = np.clip(np.where(labels, scores, 1 - scores), 1e-7, 1.0)
    per_label = [-np.log(probability[labels == value]) for value in (True, False)]
    return float(np.mean([losses.mean() for losses in per_label if len(losses)]))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training task of HydraPicker: crops of one data set at a time, three losses."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from deepconsensus_plugin.core.pickers.hydra.examples import Crops
from deepconsensus_plugin.core.pickers.hydra.losses import DetectionLoss
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraParameters
from deepconsensus_plugin.core.pickers.trained.training import Validated

_MOMENTUM = 0.98
"""Momentum of the training of the heads (section 4.3)."""


class Phase(enum.Enum):
    """Phase of a training (sections 4.3 and 4.7)."""

    ONE_HEAD = 1
    """All data sets train the body and one head, with Adam."""

    ALL_HEADS = 2
    """Each data set trains the body and its own head, with momentum."""

    NEW_HEADS = 3
    """Each data set trains a new head alone, with Adam: few-shot."""


class HydraTask:
    """Training task on crops; a `TrainingTask` (`core.pickers.trained.training`).

    Parameters
    ----------
    network : keras.Model
        As `models.hydra_heads.build_trainable` makes it.
    crops : sequence of Crops
        Crops of each data set; all data sets are equally likely in a batch.
    parameters : HydraParameters
        Training parameters.
    phase : Phase
        Which heads there are, and how they are trained.
    validate : callable
        Function from the network to its average precision.
    """

    def __init__(
        self,
        network: keras.Model,
        crops: Sequence[Crops],
        parameters: HydraParameters,
        *,
        phase: Phase,
        validate: Callable[[keras.Model], float],
    ) -> None:
        self.network, self.crops, self.parameters = network, crops, parameters
        self._phase, self._judge = phase, validate
        self.network.compile(
            _optimiser(parameters, phase),
            DetectionLoss(parameters.loss),
            jit_compile=False,
        )

    def batch(self, rng: np.random.Generator) -> tuple[Any, Any]:
        """Return crops of one data set with the number of its head, and targets."""
        number = int(rng.integers(len(self.crops)))
        crops, targets = self.crops[number].batch(self.parameters.n_crops, rng)
        head = 0 if self._phase is Phase.ONE_HEAD else number
        heads = np.full((len(crops), 1), head, np.int32)
        return {"image": crops, "head": heads}, targets

    def validate(self) -> Validated:
        """Return the result of a validation."""
        return Validated(self._judge(self.network))


def _optimiser(parameters: HydraParameters, phase: Phase) -> keras.optimizers.Optimizer:
    """Return Adam with a cosine that restarts, or descent with momentum."""
    if phase is Phase.ALL_HEADS:
        return keras.optimizers.SGD(
            parameters.head_learning_rate, momentum=_MOMENTUM, global_clipnorm=1.0
        )
    rate = keras.optimizers.schedules.CosineDecayRestarts(
        parameters.learning_rate,
        first_decay_steps=parameters.restart_epochs * parameters.n_updates,
        t_mul=1.0,
        m_mul=1.0,
    )
    return keras.optimizers.Adam(rate)

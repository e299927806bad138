# SPDX-License-Identifier: GPL-3.0-or-later
"""Training task of DeepEM: batches of boxes, loss and validation."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from deepconsensus_plugin.core.metrics.classification import (
    average_precision,
    count_at_thresholds,
)
from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture
from deepconsensus_plugin.core.pickers.deepem.examples import BoxExamples
from deepconsensus_plugin.core.pickers.deepem.network import build_network
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    Variant,
)
from deepconsensus_plugin.core.pickers.trained.training import Validated
from deepconsensus_plugin.core.types import FloatArray


class DeepEMTask:
    """Training task on boxes; a `TrainingTask` (`core.pickers.trained.training`).

    Parameters
    ----------
    examples : BoxExamples
        Training boxes.
    held_out : BoxExamples, optional
        Validation boxes, from other micrographs.
    parameters : DeepEMParameters
        Training parameters.
    """

    def __init__(
        self,
        examples: BoxExamples,
        held_out: BoxExamples | None,
        parameters: DeepEMParameters,
    ) -> None:
        self.examples, self.held_out, self.parameters = examples, held_out, parameters
        keras.utils.set_random_seed(parameters.seed)
        self.architecture = DeepEMArchitecture.of_box(
            parameters.input_size, maps=parameters.maps
        )
        self.network = build_network(
            self.architecture,
            variant=parameters.variant,
            initialisation=parameters.initialisation,
        )
        self.network.compile(*_means(parameters), jit_compile=False)

    def batch(self, rng: np.random.Generator) -> tuple[Any, Any]:
        """Return boxes and their targets."""
        is_modern = self.parameters.variant is Variant.MODERN
        return self.examples.batch(self.parameters.batch_size, rng, mirrored=is_modern)

    def validate(self) -> Validated:
        """Return average precision and accuracy on held-out boxes."""
        if self.held_out is None:
            return Validated(math.nan)
        particles, others = (
            _probabilities(self.network, boxes)
            for boxes in (self.held_out.particles, self.held_out.all_others)
        )
        is_particle = np.repeat([True, False], [len(particles), len(others)])
        scores = np.concatenate([particles, others])
        counts = count_at_thresholds(is_particle, scores)
        told_right = [(particles >= 0.5).mean(), (others < 0.5).mean()]
        figure = average_precision(counts, len(particles))
        return Validated(figure, float(np.mean(told_right)))


def squared_error(targets: Any, outputs: Any) -> Any:
    """Return ½ ‖t − y‖² of each box, whose mean is eq. 4."""
    return ops.sum(ops.square(targets - outputs), axis=-1) / 2


def _means(parameters: DeepEMParameters) -> tuple[keras.optimizers.Optimizer, Any]:
    """Return the optimiser and the loss."""
    rate = parameters.first_rate
    if parameters.variant is Variant.PAPER:
        return keras.optimizers.SGD(rate), squared_error
    return keras.optimizers.Adam(rate), "binary_crossentropy"


def _probabilities(network: keras.Model, boxes: Any) -> FloatArray:
    return np.asarray(network.predict(boxes[..., None], verbose=0)[:, 0], np.float64)

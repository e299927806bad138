# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ensemble of networks says of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.models.deep_consensus import PARTICLE
from deepconsensus_plugin.core.types import FloatArray


def predict(
    networks: Sequence[keras.Model],
    boxes: NDArray[np.floating[Any]],
    *,
    batch_size: int = 32,
) -> FloatArray:
    """Return each network's probability that a box is a particle.

    Parameters
    ----------
    networks : sequence of keras.Model
        The ensemble.
    boxes : array, shape (n, size, size)
        Prepared boxes, any float type.
    batch_size : int
        Boxes the network sees at once; every batch has this size (the last is
        padded), so that a box's score does not depend on what surrounds it.

    Returns
    -------
    array, shape (n, n_models), float64
    """
    probabilities = np.empty((len(boxes), len(networks)))
    for first in range(0, len(boxes), batch_size):
        some = boxes[first : first + batch_size]
        batch = np.zeros((batch_size, *boxes.shape[1:], 1), np.float32)
        batch[: len(some), ..., 0] = some
        for i, network in enumerate(networks):
            output = network.predict_on_batch(batch)
            probabilities[first : first + len(some), i] = output[: len(some), PARTICLE]
    return probabilities

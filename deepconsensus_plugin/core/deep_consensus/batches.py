# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of a network's training: rows in random order, augmented, with weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.deep_consensus.datasets import (
    LabelledBoxes,
    LabelledCoordinates,
    augment,
)
from deepconsensus_plugin.core.deep_consensus.loss_weights import balance_weights
from deepconsensus_plugin.core.deep_consensus.network import PARTICLE
from deepconsensus_plugin.core.types import FloatArray, IntArray


class Batch(NamedTuple):
    """Boxes of one update, shape (b, size, size, 1), targets (b, 2), weights (b,)."""

    boxes: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: FloatArray


class Batches:
    """Endless batches of one size; every row occurs once before any occurs twice.

    Parameters
    ----------
    data : LabelledBoxes
        All boxes, those for validation too.
    training : array of int
        Rows to learn from; both labels must occur.
    size : int
        Boxes in a batch.
    rng : numpy.random.Generator
        Generator of the order of rows and of the augmentation.
    """

    def __init__(
        self,
        data: LabelledBoxes,
        training: IntArray,
        *,
        size: int,
        rng: np.random.Generator,
    ) -> None:
        self.rng = rng
        self.queue: IntArray = rng.permutation(training)
        self.weights = balance_weights(data.rows, training)
        self._data, self._training, self._size = data, training, size

    def next(self) -> Batch:
        """Return the next batch."""
        index = self.next_rows()
        boxes = augment(self._data.batch(index), self.rng)
        return Batch(boxes, _targets(self._data.rows, index), self.weights[index])

    def next_rows(self) -> IntArray:
        """Return the rows of the next batch; an epoch may end within a batch."""
        while len(self.queue) < self._size:
            again = self.rng.permutation(self._training)
            self.queue = np.concatenate([self.queue, again])
        batch, self.queue = self.queue[: self._size], self.queue[self._size :]
        return batch


def _targets(rows: LabelledCoordinates, index: IntArray) -> NDArray[np.float32]:
    """Return one-hot labels, shape (b, 2)."""
    particle = rows.is_particle[index]
    targets = np.zeros((len(index), 2), np.float32)
    targets[:, PARTICLE], targets[:, 1 - PARTICLE] = particle, ~particle
    return targets

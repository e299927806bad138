# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of boxes by an ensemble of networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.deep_consensus.network import PARTICLE
from deepconsensus_plugin.core.networks.convolution import (
    Device,
    current_device,
    memory_error,
)
from deepconsensus_plugin.core.types import FloatArray

CPU_BATCH = 32
"""Batch size on a CPU; larger ones were not faster (docs/performance.md)."""

_GPU_BATCHES = (1024, 512, 256, 128, 64)
"""Batch sizes on a GPU, tried in this order."""


def predict(
    networks: Sequence[keras.Model],
    boxes: NDArray[np.floating[Any]],
    *,
    batch_size: int = CPU_BATCH,
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


def fitting_batch(networks: Sequence[keras.Model], input_size: int) -> int:
    """Return the batch size for the networks on this machine.

    On a CPU large batches are not faster. On a GPU it is the largest batch that fits
    into memory, found by trials.

    Parameters
    ----------
    networks : sequence of keras.Model
        Networks of one size; each is tried.
    input_size : int
        Side of a box, pixels.
    """
    if current_device() is not Device.ACCELERATOR:
        return CPU_BATCH
    for n_boxes in _GPU_BATCHES:
        boxes = np.zeros((n_boxes, input_size, input_size), np.float32)
        try:
            predict(networks, boxes, batch_size=n_boxes)
        except memory_error():
            continue
        return n_boxes
    return CPU_BATCH


def in_batches(
    parts: Iterable[NDArray[np.float32]], size: int, *, skip: int = 0
) -> Iterator[NDArray[np.float32]]:
    """Yield arrays of `size` rows, the last perhaps fewer, from arrays of any length.

    Parameters
    ----------
    parts : iterable of arrays, shape (any, …)
        Taken one at a time.
    size : int
        Rows of a batch, >= 1.
    skip : int
        Rows at the beginning to leave out.
    """
    waiting: list[NDArray[np.float32]] = []
    n_waiting = 0
    for part in parts:
        skipped = min(skip, len(part))
        skip -= skipped
        waiting.append(part[skipped:])
        n_waiting += len(part) - skipped
        if n_waiting < size:
            continue
        rows = np.concatenate(waiting)
        n_whole = n_waiting - n_waiting % size
        yield from np.split(rows[:n_whole], n_whole // size)
        waiting, n_waiting = [rows[n_whole:]], n_waiting - n_whole
    if n_waiting:
        yield np.concatenate(waiting)

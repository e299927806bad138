# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the network of contaminants on examples; a killed one goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.examples import Example
from benchmarks.areas.keras_network import build_network
from benchmarks.areas.renderings import draw_lessons
from deepconsensus_plugin.core.execution import map_ahead

Batch = tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]

_CLASS_WEIGHTS = np.array([1.0, 1.0, 1.5, 4.0], np.float32)
"""In the order of the classes; what is rare and small counts more."""

_UPDATES_PER_STATE = 50

_LATER = 0.3
"""Ratio of the largest learning rates of a cycle and of the one before."""

_PARTS = 2
"""Parts of each rendering, which takes as long as learning from it."""


@dataclass(frozen=True)
class Schedule:
    """Length of a training.

    Parameters
    ----------
    n_updates, batch_size : int
        Updates, and examples in each.
    side : int
        Side of the parts of examples, pixels; a multiple of 32.
    learning_rate : float
        Largest; it falls to 0 along a cosine, and again from 0.3 of it after a restart.
    restarts : tuple of int
        Updates at which the rate rises again.
    seed : int
        Decides weights and examples.
    """

    n_updates: int = 900
    batch_size: int = 6
    side: int = 192
    learning_rate: float = 5e-3
    restarts: tuple[int, ...] = (500,)
    seed: int = 22


def train(examples: Sequence[Example], schedule: Schedule, folder: Path) -> keras.Model:
    """Return a trained network; its state is kept in `folder` on the way."""
    state = folder / "state.keras"
    note = folder / "state.json"
    if state.exists() and note.exists():
        model = keras.models.load_model(state)
        first = json.loads(note.read_text())["n_updates"]
    else:
        model, first = _new_model(schedule), 0
    losses, start = [], time.process_time()

    def draw(update: int) -> Batch:
        return _draw_batch(
            examples, schedule, np.random.default_rng([schedule.seed, update])
        )

    updates = range(first, schedule.n_updates)
    batches = map_ahead(draw, updates, workers=2)
    for update, (channels, classes, weights) in zip(updates, batches, strict=True):
        model.optimizer.learning_rate = _learning_rate(schedule, update)
        losses.append(
            float(model.train_on_batch(channels, classes, sample_weight=weights))
        )
        done = update + 1
        if done % _UPDATES_PER_STATE == 0 or done == schedule.n_updates:
            model.save(state)
            note.write_text(json.dumps({"n_updates": done}))
            print(
                f"update {done} of {schedule.n_updates}: loss "
                f"{np.mean(losses[-_UPDATES_PER_STATE:]):.3f}, "
                f"{time.process_time() - start:.0f} s of CPU time",
                flush=True,
            )
    return model


def _learning_rate(schedule: Schedule, update: int) -> float:
    """Return the rate of an update: it rises at first, then falls along a cosine."""
    cycles = [0, *schedule.restarts, schedule.n_updates]
    cycle = int(np.searchsorted(cycles, update, side="right")) - 1
    length, since = cycles[cycle + 1] - cycles[cycle], update - cycles[cycle]
    largest = schedule.learning_rate * _LATER**cycle
    rising = length // 20
    if since < rising:
        return float(largest * (since + 1) / rising)
    part = (since - rising) / max(length - rising, 1)
    return float(largest * (1 + np.cos(np.pi * part)) / 2)


def _new_model(schedule: Schedule) -> keras.Model:
    keras.utils.set_random_seed(schedule.seed)
    model = build_network()
    model.compile(
        keras.optimizers.Adam(schedule.learning_rate, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def _draw_batch(
    examples: Sequence[Example], schedule: Schedule, rng: np.random.Generator
) -> Batch:
    n_renderings = schedule.batch_size // _PARTS
    drawn = [
        lesson
        for index in rng.choice(len(examples), n_renderings, replace=False)
        for lesson in draw_lessons(examples[index], schedule.side, _PARTS, rng)
    ]
    classes = np.stack([each.classes for each in drawn])
    weights = np.stack([each.weights for each in drawn]) * _CLASS_WEIGHTS[classes]
    channels = np.stack([each.channels for each in drawn])
    return channels, classes, weights.astype(np.float32)

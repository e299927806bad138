# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the network of contaminants, one perceptron after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.lessons import Lesson
from deepconsensus_plugin.core.usable_area.contaminant_context import look_again
from deepconsensus_plugin.core.usable_area.contaminant_network import (
    CLASSES,
    MOST_SPREADS,
    ContaminantNetwork,
    Perceptron,
)

Float32Array = NDArray[np.float32]

_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class Schedule:
    """Length of a training.

    Parameters
    ----------
    epochs, batch_size : int
        Epochs of each perceptron, and pixels in a batch.
    learning_rate : float
        Largest; it rises within half an epoch, and falls along a cosine.
    n_looks : int
        Number of perceptrons.
    widths : tuple of int
        Widths of the hidden layers of each.
    renderings : int
        Renderings of each micrograph.
    seed : int
        Decides weights and renderings.
    """

    epochs: int = 12
    batch_size: int = 1024
    learning_rate: float = 4e-3
    n_looks: int = 2
    widths: tuple[int, ...] = (80, 48)
    renderings: int = 2
    seed: int = 22


def train(lessons: Sequence[Lesson], schedule: Schedule) -> ContaminantNetwork:
    """Return a trained network, with a threshold of 0.5."""
    looks: tuple[Perceptron, ...] = ()
    seen: list[NDArray[np.float16]] = []
    for _ in range(schedule.n_looks):
        looks += (_train_one(lessons, _features(lessons, seen), schedule),)
        seen = [
            looks[-1].probabilities(features).astype(np.float16)
            for features in _features(lessons, seen)
        ]
    return ContaminantNetwork(looks, 0.5)


def _features(
    lessons: Sequence[Lesson], seen: Sequence[NDArray[np.float16]]
) -> Iterator[Float32Array]:
    """Yield the features of each lesson, after what was seen of it if anything was."""
    if not seen:
        yield from (lesson.first.astype(np.float32) for lesson in lessons)
    for lesson, found in zip(lessons, seen, strict=False):
        yield look_again(
            lesson.first.astype(np.float32),
            found.astype(np.float32),
            lesson.has_signal,
            pixel_size_A=lesson.pixel_size_A,
        )


def _train_one(
    lessons: Sequence[Lesson],
    seen: Iterable[Float32Array],
    schedule: Schedule,
) -> Perceptron:
    """Return a perceptron that was trained on the sampled pixels of lessons."""
    started = time.process_time()
    features = np.concatenate(
        [each[lesson.is_sampled] for each, lesson in zip(seen, lessons, strict=True)]
    )
    classes = np.concatenate([each.classes for each in lessons])
    weights = np.concatenate([each.weights for each in lessons])
    mean = features.mean(axis=0)
    spread = features.std(axis=0) + np.float32(_LEAST_SPREAD)
    features = np.clip((features - mean) / spread, -MOST_SPREADS, MOST_SPREADS)
    model = _perceptron_of(features.shape[1], len(features), schedule)
    # Whole batches alone: the last one would be compiled for itself.
    n = len(features) // schedule.batch_size * schedule.batch_size
    order = np.random.default_rng(schedule.seed).permutation(len(features))[:n]
    history = model.fit(
        features[order],
        classes[order],
        sample_weight=weights[order],
        batch_size=schedule.batch_size,
        epochs=schedule.epochs,
        verbose=0,
    ).history["loss"]
    print(
        f"{len(features)} pixels of {features.shape[1]} features: loss "
        f"{history[0]:.4f}, then {history[-1]:.4f}; "
        f"{time.process_time() - started:.0f} s of CPU time",
        flush=True,
    )
    flat = iter(model.get_weights())
    return Perceptron(mean, spread, tuple(zip(flat, flat, strict=True)))


def _perceptron_of(n_features: int, n_pixels: int, schedule: Schedule) -> keras.Model:
    keras.utils.set_random_seed(schedule.seed)
    inputs = keras.Input((n_features,))
    values = inputs
    for width in schedule.widths:
        values = keras.layers.Dense(width, activation="relu")(values)
    model = keras.Model(inputs, keras.layers.Dense(len(CLASSES))(values))
    n_batches = n_pixels // schedule.batch_size
    n_rising = max(n_batches // 2, 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.05 * schedule.learning_rate,
        max(schedule.epochs * n_batches - n_rising, 1),
        warmup_target=schedule.learning_rate,
        warmup_steps=n_rising,
    )
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model

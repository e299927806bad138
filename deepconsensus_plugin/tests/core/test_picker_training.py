# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the training that all pickers share: repeatable, resumed, best epoch."""

from __future__ import annotations

import itertools
import math

import keras
import numpy as np
import pytest

from deepconsensus_plugin.core.networks.checkpoints import (
    restore_training,
    save_training,
)
from deepconsensus_plugin.core.pickers.trained import training
from deepconsensus_plugin.core.pickers.trained.training import (
    PickerTrainer,
    Schedule,
    Validated,
)

SCHEDULE = Schedule(n_epochs=3, n_updates=4, seed=5)


class LineTask:
    """Task that fits a line to random points, with given validation figures."""

    def __init__(self, figures=(math.nan,), *, learning_rate=0.1, accuracies=()):
        keras.utils.set_random_seed(1)
        self.network = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(1)], name="line"
        )
        self.network.compile(keras.optimizers.Adam(learning_rate), "mse")
        self.figures = itertools.chain(figures, itertools.repeat(figures[-1]))
        self.accuracies = itertools.chain(accuracies, itertools.repeat(math.nan))
        self.drawn = []

    def batch(self, rng):
        x = rng.normal(size=(8, 1)).astype(np.float32)
        self.drawn.append(x[0, 0])
        return x, 3 * x - 1

    def validate(self):
        return Validated(next(self.figures), next(self.accuracies))

    @property
    def weights(self):
        return [weights.tolist() for weights in self.network.get_weights()]


def train(task, schedule=SCHEDULE):
    """Train to the end; return the training, and the weights after each epoch."""
    learning, weights = PickerTrainer(task, schedule), []
    while not learning.is_finished:
        learning.advance()
        weights.append(task.weights)
    learning.finish()
    return learning, weights


def test_interrupted_training_ends_as_one_that_was_not(tmp_path):
    figures = (0.5, 0.7, 0.6)
    whole = LineTask(figures)
    expected, weights = train(whole)
    first = PickerTrainer(LineTask(figures), SCHEDULE)
    first.advance()
    save_training(tmp_path / "state.npz", first, made_from="this")
    task = LineTask(figures[1:])
    resumed = PickerTrainer(task, SCHEDULE)
    assert restore_training(tmp_path / "state.npz", resumed, made_from="this")
    assert task.weights == weights[0]
    for n_left in (2, 1):
        assert SCHEDULE.n_epochs - len(resumed.history) == n_left
        resumed.advance()
    assert resumed.is_finished
    assert task.weights == weights[2]
    resumed.finish()
    assert task.weights == whole.weights == weights[1]
    for one, other in zip(resumed.history, expected.history, strict=True):
        assert one.update == other.update
        assert one.training_loss == other.training_loss
        assert one.validation_average_precision == other.validation_average_precision


def test_training_of_other_origin_begins_anew(tmp_path):
    begun = PickerTrainer(LineTask(), SCHEDULE)
    begun.advance()
    save_training(tmp_path / "state.npz", begun, made_from="this")
    other = PickerTrainer(LineTask(), SCHEDULE)
    assert not restore_training(tmp_path / "state.npz", other, made_from="that")
    assert not restore_training(tmp_path / "none.npz", other, made_from="this")
    assert other.history == []


def test_batches_do_not_depend_on_the_number_of_threads(monkeypatch):
    drawn, weights = [], []
    for workers in (1, 3):
        monkeypatch.setattr(training, "_WORKERS", workers)
        task = LineTask()
        train(task)
        drawn.append(set(task.drawn))
        weights.append(task.weights)
    assert len(drawn[0]) == SCHEDULE.n_epochs * SCHEDULE.n_updates  # none comes twice
    assert drawn[0] == drawn[1]
    assert weights[0] == weights[1]


def test_another_seed_draws_other_batches():
    task, other = LineTask(), LineTask()
    train(task)
    train(other, Schedule(n_epochs=3, n_updates=4, seed=6))
    assert not set(task.drawn) & set(other.drawn)


@pytest.mark.parametrize(
    ("figures", "best"),
    [
        ((0.5, 0.7, 0.6), 2),
        ((0.7, 0.7, 0.6), 1),  # of equal ones the first
        ((0.1, 0.2, 0.3), 3),
        ((0.0, 0.0, 0.0), 1),
        ((math.nan,), 3),
        ((0.5, math.nan, math.nan), 1),
        ((math.nan, 0.4, math.nan), 2),
    ],
)
def test_the_best_epoch_is_kept_and_the_last_where_nothing_is_told(figures, best):
    task = LineTask(figures)
    learning, weights = train(task)
    assert learning.best_epoch == best
    assert task.weights == weights[best - 1]


def test_training_ends_early_where_it_may():
    long = Schedule(n_epochs=9, n_updates=1, seed=1, patience=2, wanted_accuracy=0.9)
    learning, _ = train(LineTask((0.4, 0.6, 0.5)), long)
    assert len(learning.history) == 4
    enough, _ = train(LineTask((0.4, 0.6), accuracies=(0.8, 0.95)), long)
    assert len(enough.history) == 2


def test_updates_are_counted_and_the_loss_falls():
    task, counted = LineTask(), []
    learning = PickerTrainer(task, Schedule(n_epochs=3, n_updates=20, seed=5))
    while not learning.is_finished:
        learning.advance(counted.append)
    assert sum(counted) == 60
    losses = [checkpoint.training_loss for checkpoint in learning.history]
    assert losses[2] < losses[1] < losses[0]
    assert [checkpoint.update for checkpoint in learning.history] == [20, 40, 60]


def test_diverged_training_says_what_to_lower():
    task = LineTask(learning_rate=1e30)
    with pytest.raises(
        ValueError,
        match=r"line, epoch 1, update 4: .* the training diverged; lower the learning "
        r"rate \(1e\+30",
    ):
        train(task)


def test_weights_are_looked_at_and_not_the_loss_alone():
    """The network returns the finite half of itself, so that the loss is finite."""
    keras.utils.set_random_seed(1)
    task, x = LineTask((0.9,)), keras.Input((1,))
    lost = keras.ops.nan_to_num(keras.layers.Dense(1, name="lost")(x))
    task.network = keras.Model(x, keras.layers.Dense(1)(x) + lost, name="half")
    task.network.compile(keras.optimizers.Adam(0.1), "mse")
    task.network.get_layer("lost").set_weights(
        [np.full((1, 1), np.nan), np.full(1, np.inf)]
    )
    learning = PickerTrainer(task, SCHEDULE)
    with pytest.raises(
        ValueError,
        match=r"half, epoch 1, update 4: .* in 2 of 4 arrays \(lost/kernel\)",
    ):
        learning.advance()
    assert learning.history == learning.best_weights == []

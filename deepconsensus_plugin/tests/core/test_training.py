# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.metrics import average_precision_score

from deepconsensus_plugin.core.deep_consensus.best_checkpoint import (
    BestCheckpoint,
    Patience,
)
from deepconsensus_plugin.core.deep_consensus.datasets import (
    LabelledBoxes,
    LabelledCoordinates,
)
from deepconsensus_plugin.core.deep_consensus.loss_weights import balance_weights
from deepconsensus_plugin.core.deep_consensus.network import PARTICLE, build_network
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.scoring import predict
from deepconsensus_plugin.core.deep_consensus.splits import split_by_micrograph
from deepconsensus_plugin.core.deep_consensus.training import (
    MemberTrainer,
    TrainedNetwork,
    initialise,
    n_updates,
)
from deepconsensus_plugin.core.networks.history import Checkpoint

SIZE = 16


def _data(n: int = 200, label_noise: float = 0.0) -> LabelledBoxes:
    """Boxes of noise, half of them with a white disc."""
    rng = np.random.default_rng(0)
    particle = np.arange(n) % 2 == 0
    axis = np.arange(SIZE) - SIZE / 2 + 0.5
    disc = np.hypot(axis[:, None], axis) < SIZE / 4
    boxes = rng.normal(size=(n, SIZE, SIZE)) + 1.5 * particle[:, None, None] * disc
    rows = LabelledCoordinates(
        sources=("discs",),
        micrographs=tuple(f"{i}.mrc" for i in range(10)),
        is_particle=particle ^ (rng.random(n) < label_noise),
        weight=np.ones(n, np.float32),
        source=np.zeros(n, int),
        micrograph=np.sort(np.arange(n) % 10),
        yx=np.zeros((n, 2)),
    )
    return LabelledBoxes(boxes.astype(np.float16), rows)


def _tiny_network() -> keras.Model:
    box = keras.Input((SIZE, SIZE, 1))
    x = layers.Conv2D(4, 5, activation="relu")(box)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(box, layers.Dense(2, activation="softmax")(x))


def _start(data: LabelledBoxes, member: int = 0, **changes) -> MemberTrainer:
    values = {"n_epochs": 8, "batch_size": 16, "learning_rate": 0.03, **changes}
    parameters = TrainingParameters(**values)
    initialise(member, parameters)
    return MemberTrainer(data, _tiny_network(), parameters, member)


def _finish(training: MemberTrainer) -> TrainedNetwork:
    while not training.is_finished:
        training.advance()
    return training.result()


def _train(data: LabelledBoxes, member: int = 0, **changes) -> TrainedNetwork:
    return _finish(_start(data, member, **changes))


def test_learns_discs():
    trained = _train(_data())
    assert trained.validation.roc_auc > 0.95
    assert trained.history[-1].training_loss < trained.history[0].training_loss


@pytest.mark.slow
def test_table_1_overfits_a_small_batch():
    data = _data(30)
    parameters = TrainingParameters(n_epochs=15, batch_size=8, learning_rate=1e-3)
    initialise(0, parameters)
    network = build_network(input_size=SIZE)
    trained = _finish(MemberTrainer(data, network, parameters, member=0))
    assert trained.history[-1].training_loss < 0.2


@pytest.mark.slow
def test_same_seed_same_weights_and_other_members_differ():
    first, again, other = (_train(_data(), member) for member in (0, 0, 1))
    for a, b in zip(
        first.network.get_weights(), again.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert first.history == again.history
    assert not np.array_equal(
        first.network.get_weights()[0], other.network.get_weights()[0]
    )


@pytest.mark.slow
def test_best_weights_are_kept():
    data = _data(label_noise=0.3)
    trained = _train(data, n_epochs=30)
    rng = np.random.default_rng([TrainingParameters().seed, 0])
    _, held_out = split_by_micrograph(data.rows, 0.1, rng)
    scores = predict([trained.network], data.boxes[held_out])[:, 0]
    labels = data.rows.is_particle[held_out]
    surprise = -np.log(np.where(labels, scores, 1 - scores))
    loss = np.mean([surprise[labels].mean(), surprise[~labels].mean()])
    best = min(trained.history, key=lambda checkpoint: checkpoint.validation_loss)
    lowest = best.validation_loss
    assert loss == pytest.approx(lowest, rel=1e-5)
    assert lowest < trained.history[-1].validation_loss
    precision = average_precision_score(labels, scores)
    assert best.validation_average_precision == pytest.approx(precision, rel=1e-5)


def test_learning_rate_falls_where_nothing_improves_and_training_stops():
    training = _start(_data(label_noise=0.5), n_epochs=200, patience=11)
    trained = _finish(training)
    rates = [checkpoint.learning_rate for checkpoint in trained.history]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.03 * 0.011
    assert trained.history[-1].update < training.n_updates


def test_rare_label_weighs_as_much_as_the_common_one():
    data = _data(400)
    common = np.flatnonzero(~data.rows.is_particle)
    rare = np.flatnonzero(data.rows.is_particle)[::10]
    trained = _train(data.take(np.sort(np.concatenate([common, rare]))), n_epochs=12)
    assert trained.validation.recall > 0.6


def test_a_training_that_diverges_is_said():
    """At its first validation, whatever the processor makes of NaN in a network."""
    data = _data(60)
    data.boxes[:] = np.inf
    training = _start(data, n_epochs=100)
    with pytest.raises(
        ValueError,
        match=r"network 1, update 10: expected finite .* the training diverged; "
        r"lower the learning rate \(0\.03\)",
    ):
        _finish(training)
    assert training.update == 10 < training.n_updates
    assert not all(np.isfinite(each).all() for each in training.network.get_weights())
    assert training.best.history == training.best.best_weights == []


def _network_that_hides_nan() -> keras.Model:
    """Return a network whose outputs are finite whatever the weights of its layers."""
    box = keras.Input((SIZE, SIZE, 1))
    x = layers.Conv2D(4, 5, name="hidden")(box)
    x = layers.GlobalAveragePooling2D()(keras.ops.nan_to_num(x))
    return keras.Model(box, layers.Dense(2, activation="softmax")(x))


def test_weights_are_looked_at_and_not_what_a_network_returns():
    data, network = _data(60), _network_that_hides_nan()
    hidden = network.get_layer("hidden")
    hidden.set_weights([np.full_like(each, np.nan) for each in hidden.get_weights()])
    training = MemberTrainer(data, network, TrainingParameters(n_epochs=100), member=2)
    with pytest.raises(
        ValueError,
        match=r"network 3, update \d+: .* received NaN or infinity in 2 of 4 arrays "
        r"\(hidden/kernel\): the training diverged",
    ):
        training.advance()
    assert np.isfinite(predict([network], data.boxes)).all()
    assert training.best.best_weights == []


def test_a_loss_that_is_not_finite_ends_a_training(monkeypatch):
    training = _start(_data(60))
    monkeypatch.setattr(training.network, "train_on_batch", lambda *_, **__: np.inf)
    with pytest.raises(ValueError, match=r"update 10: .* received a loss of inf: the"):
        training.advance()


def _unequal_data() -> LabelledBoxes:
    """Boxes that show their own row; a rare label, sources and boxes of any weight."""
    n = 120
    data, row = _data(n), np.arange(n)
    rows = replace(
        data.rows,
        is_particle=row % 6 == 0,
        weight=np.random.default_rng(3).uniform(0.2, 2.0, n).astype(np.float32),
    )
    boxes = np.broadcast_to(row[:, None, None], data.boxes.shape).astype(np.float16)
    return LabelledBoxes(boxes, rows)


def test_labels_weigh_the_same_and_sources_as_they_are_told():
    """One particle; background of weight 1 and 0.5; the last rows are held out."""
    rows = replace(
        _data(7).rows,
        is_particle=np.array([1, 0, 0, 0, 0, 1, 0], bool),
        weight=np.array([1, 1, 1, 0.5, 0.5, 2, 4], np.float32),
    )
    weights = balance_weights(rows, np.arange(5))
    # The particle has half of 5, the background the other half: 3 shares.
    by_hand = [2.5, 2.5 / 3, 2.5 / 3, 1.25 / 3, 1.25 / 3, 5, 10 / 3]
    np.testing.assert_allclose(weights, by_hand, rtol=1e-6)


def test_a_training_balances_what_it_learns_from():
    data = _unequal_data()
    training = _start(data)
    rows = data.rows.take(training.training)
    for value in (True, False):
        weights = training.batches.weights[training.training][rows.is_particle == value]
        told = rows.weight[rows.is_particle == value]
        # Half of all that is learnt from, shared as the weights are told.
        expected = told / told.sum() * len(rows) / 2
        np.testing.assert_allclose(weights, expected, rtol=1e-5)
        assert len(np.unique(weights)) > 5


def test_every_box_comes_with_its_own_label_and_weight(monkeypatch):
    training, learnt = _start(_unequal_data()), []

    def learn(boxes, targets, sample_weight):
        learnt.append((boxes, targets, sample_weight))
        return 0.5

    monkeypatch.setattr(training.network, "train_on_batch", learn)
    training.advance()
    assert len(learnt) == training.update == 10
    for boxes, targets, weights in learnt:
        row = boxes[:, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(boxes, row[:, None, None, None] + 0 * boxes)
        assert set(row) <= set(training.training)
        is_particle = training.data.rows.is_particle[row]
        np.testing.assert_array_equal(targets[:, PARTICLE], is_particle)
        np.testing.assert_array_equal(targets[:, 1 - PARTICLE], ~is_particle)
        np.testing.assert_array_equal(weights, training.batches.weights[row])


def test_an_epoch_sees_every_box_that_is_not_held_out():
    training = _start(_data(400), n_epochs=5, batch_size=16)
    seen = [training.batches.next_rows() for _ in range(training.n_updates // 5)]
    n_training = len(training.training)
    assert training.n_updates == 5 * round(n_training / 16)
    assert len(np.unique(np.concatenate(seen))) >= n_training - 16


def test_a_few_boxes_give_one_update_an_epoch():
    assert n_updates(_data(10).rows, TrainingParameters(n_epochs=5), 0) == 5


@pytest.mark.parametrize("n_boxes", [10, 400])
def test_without_a_number_of_epochs_the_updates_are_given(n_boxes):
    training = _start(_data(n_boxes), n_epochs=None, n_updates=12)
    trained = _finish(training)
    assert training.update == 12
    assert trained.history[-1].update == 12


# -------------------------- when it stops --------------------------
def test_the_usual_training_stops_when_nothing_improves():
    """On labels that mean nothing, with as many updates as by default."""
    training = _start(_data(label_noise=0.5), n_epochs=None)
    assert (training.n_updates, training.patience) == (100, Patience(17, True))
    trained = _finish(training)
    last = trained.history[-1].update
    assert 3 * 17 < last < 100
    rates = [each.learning_rate for each in trained.history]
    assert rates[0] == pytest.approx(0.03)
    assert float(training.network.optimizer.learning_rate) < 0.03 * 1.1e-3


@pytest.mark.parametrize("n_epochs", [1, 5, 40])
def test_the_patience_fits_the_length_of_the_training(n_epochs):
    training = _start(_data(), n_epochs=n_epochs)
    assert 3 * training.patience.n_updates == pytest.approx(
        training.n_updates / 2, abs=2
    )


def test_a_given_patience_counts_and_no_stopping_has_none():
    training = _start(_data(label_noise=0.5), n_epochs=None, patience=30)
    assert training.patience == Patience(30, counts_loss=False)
    assert _finish(training).history[-1].update == 100
    training = _start(_data(label_noise=0.5), n_epochs=None, auto_stopping=False)
    assert _finish(training).history[-1].update == 100


def _rate_after(patience: Patience, *figures: tuple[float, float]) -> float:
    """Return the rate after validations of these accuracies and losses, 10 apart."""
    network, best = _tiny_network(), BestCheckpoint()
    network.compile(keras.optimizers.Adam(1.0))
    for number, (accuracy, loss) in enumerate(figures, start=1):
        seen = Checkpoint(
            update=10 * number,
            learning_rate=float(network.optimizer.learning_rate),
            training_loss=loss,
            validation_loss=loss,
            validation_accuracy=accuracy,
        )
        best.observe(network, seen, np.empty(0), patience)
    return float(network.optimizer.learning_rate)


def test_a_lower_loss_is_an_improvement_of_a_short_training_only():
    falling = [(0.9, 1.0), (0.9, 0.9), (0.9, 0.8)]
    assert _rate_after(Patience(20, counts_loss=True), *falling) == 1
    assert _rate_after(Patience(20, counts_loss=False), *falling) == pytest.approx(0.1)
    constant = [(0.9, 1.0), (0.9, 1.0), (0.9, 1.0)]
    assert _rate_after(Patience(20, counts_loss=True), *constant) == pytest.approx(0.1)


def test_boxes_are_held_out_at_random_as_published():
    rows = _data().rows
    whole, mixed = (
        _start(_data(), hold_out_micrographs=whole).held_out for whole in (True, False)
    )
    micrographs = rows.micrograph
    assert not {*micrographs[whole]} & {*np.delete(micrographs, whole)}
    assert {*micrographs[mixed]} & {*np.delete(micrographs, mixed)}
    assert len(mixed) == 20 and rows.is_particle[mixed].sum() == 10

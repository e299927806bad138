# SPDX-License-Identifier: GPL-3.0-or-later
"""Trainings that go on from their state; the network is small but has all there is."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.datasets import (
    LabelledBoxes,
    LabelledCoordinates,
)
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.training import MemberTrainer, initialise
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.networks.checkpoints import (
    restore_training,
    save_training,
)
from deepconsensus_plugin.core.networks.history import (
    STATE,
    read_histories,
    states_folder,
)
from deepconsensus_plugin.tests.small_network import small_network

PARAMETERS = TrainingParameters(
    n_epochs=10, batch_size=16, learning_rate=1e-3, patience=3, seed=7
)


@pytest.fixture(scope="module")
def data() -> LabelledBoxes:
    """Noise, of which half is brighter: nothing that is learnt at once."""
    rng = np.random.default_rng(0)
    particle = np.arange(120) % 2 == 0
    boxes = rng.normal(size=(120, 16, 16)) + 0.2 * particle[:, None, None]
    rows = LabelledCoordinates(
        sources=("all",),
        micrographs=("a.mrc", "b.mrc", "c.mrc", "d.mrc"),
        is_particle=particle,
        weight=np.ones(120, np.float32),
        source=np.zeros(120, int),
        micrograph=np.repeat(np.arange(4), 30),
        yx=np.zeros((120, 2)),
    )
    return LabelledBoxes(boxes.astype(np.float16), rows)


def _begin(data: LabelledBoxes) -> MemberTrainer:
    initialise(0, PARAMETERS)
    return MemberTrainer(data, small_network(input_size=16), PARAMETERS, 0)


def _finish(training: MemberTrainer) -> MemberTrainer:
    while not training.is_finished:
        training.advance()
    return training


@pytest.mark.slow
def test_goes_on_to_the_same_end(data, tmp_path: Path):
    undisturbed = _finish(_begin(data))
    interrupted = _begin(data)
    for _ in range(2):
        interrupted.advance()
    save_training(tmp_path / "state.npz", interrupted, made_from="this")
    keras.utils.set_random_seed(99)
    resumed = _begin(data)
    assert restore_training(tmp_path / "state.npz", resumed, made_from="this")
    assert resumed.update == interrupted.update > 0
    _finish(resumed)
    assert resumed.best.history == undisturbed.best.history
    rates = [checkpoint.learning_rate for checkpoint in resumed.best.history]
    assert rates[-1] < rates[0]
    for mine, other in zip(resumed.variables(), undisturbed.variables(), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))
    assert resumed.result().validation == undisturbed.result().validation


def test_a_finished_training_stays_finished(data, tmp_path: Path):
    training = _finish(_begin(data))
    save_training(tmp_path / "state.npz", training, made_from="this")
    again = _begin(data)
    assert restore_training(tmp_path / "state.npz", again, made_from="this")
    assert again.is_finished
    assert again.result().history == training.result().history


def test_state_of_other_boxes_or_none_is_not_taken(data, tmp_path: Path):
    training = _begin(data)
    before = [np.array(variable) for variable in training.variables()]
    assert not restore_training(tmp_path / "state.npz", training, made_from="this")
    other = _begin(data)
    other.advance()
    save_training(tmp_path / "state.npz", other, made_from="that")
    assert not restore_training(tmp_path / "state.npz", training, made_from="this")
    assert training.update == 0
    for old, variable in zip(before, training.variables(), strict=True):
        np.testing.assert_array_equal(old, np.asarray(variable))


def test_others_read_the_history_while_it_trains(data, tmp_path: Path):
    model = tmp_path / "model"
    assert read_histories(model) == []
    training = _begin(data)
    training.advance()
    states_folder(model).mkdir()
    for number in (1, 2):
        state = states_folder(model) / STATE.format(number=number)
        save_training(state, training, made_from="this")
        assert read_histories(model) == [training.best.history] * number
    state.write_bytes(b"not a state")
    with pytest.raises(FileFormatError, match="network_2"):
        read_histories(model)

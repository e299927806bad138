# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that weights and losses are looked at, and never written unless finite."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import keras
import numpy as np
import pytest

from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.networks.finite import check_training, check_weights
from deepconsensus_plugin.core.pickers.hydra.network import build_body, build_head
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pickers.hydra.store import (
    load_hydra,
    rounded,
    save_hydra,
)
from deepconsensus_plugin.core.pickers.trained.store import save_picker


def _network(dtype: str = "float32") -> keras.Model:
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, dtype=dtype, name="first"),
            keras.layers.BatchNormalization(dtype=dtype, name="second"),
        ],
        name="small",
    )
    network.compile(keras.optimizers.Adam(0.02), "mse")
    return network


def _spoil(network: keras.Model, number: int, value: float) -> None:
    """Give one of the numbers of one array of weights another value."""
    weights = network.get_weights()
    weights[number].flat[-1] = value
    network.set_weights(weights)


def test_finite_networks_pass():
    network = _network()
    check_training(network, name="it", update=3, loss=0.5)
    check_weights(network, name="it")


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_one_bad_number_anywhere_is_found(dtype):
    network = _network(dtype)
    good = network.get_weights()
    values = (np.nan, np.inf, -np.inf)
    for number, value in product(range(6), values):  # kernel to moving variance
        network.set_weights(good)
        _spoil(network, number, value)
        message = rf"in 1 of 6 arrays \({network.weights[number].path}\): the training "
        message += "diverged; lower the learning rate"
        with pytest.raises(ValueError, match=rf"^it: expected finite .* {message}"):
            check_weights(network, name="it")
        with pytest.raises(ValueError, match=rf"^it, update 3: .* {message} \(0\.02\)"):
            check_training(network, name="it", update=3, loss=0.5)


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_bad_loss_is_found(loss):
    with pytest.raises(ValueError, match=rf"received a loss of {loss}: the training"):
        check_training(_network(), name="it", update=3, loss=loss)


def test_pickers_that_are_not_finite_are_never_written(tmp_path):
    network = _network()
    _spoil(network, 0, np.nan)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_text("that of a good one")
    for folder in ("model", "other"):
        with pytest.raises(ValueError, match="small: expected finite weights"):
            save_picker(tmp_path / folder, network, card=None)
    assert not (tmp_path / "other").exists()
    assert [each.name for each in (tmp_path / "model").iterdir()] == ["card.json"]


def test_weights_of_hydra_that_half_precision_cannot_hold_are_refused(tmp_path):
    tiny = HydraArchitecture(
        body_channels=4, head_channels=(6, 8), n_residual=2, n_groups=2
    )
    card = load_card(general_model())
    card = replace(card, training=replace(card.training, architecture=tiny))
    body, head = (build(tiny).get_weights() for build in (build_body, build_head))
    head[0].flat[0] = 60_000
    save_hydra(tmp_path, body, [head], card)
    assert load_hydra(tmp_path, card)[1][0][0].flat[0] == 60_000
    head[0].flat[0] = 70_000
    with pytest.raises(ValueError, match="hydra: expected finite weights"):
        save_hydra(tmp_path, body, [rounded(head)], card)
    assert load_hydra(tmp_path, card)[1][0][0].flat[0] == 60_000

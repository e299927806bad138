# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import keras
import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.network import build_network
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.scoring import predict
from deepconsensus_plugin.core.deep_consensus.store import (
    load_networks,
    load_scorers,
    save_model,
)
from deepconsensus_plugin.core.errors import IncompatibleModelError, ModelFormatError
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.networks.card import TrainingSet
from deepconsensus_plugin.core.networks.folding import folded_weights
from deepconsensus_plugin.core.networks.forms import Form
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing

FORMS = (Form.FOURIER, Form.PACKED, Form.PACKED, Form.FOURIER, *[Form.PLAIN] * 4)
SCORING_FORMS = (*[Form.STRIDED, Form.FOURIER] * 2, *[Form.PLAIN] * 4)


@pytest.fixture(autouse=True)
def _same_weights_every_time():
    keras.utils.set_random_seed(0)


def _card(n_models: int = 2, box_size: int = 90) -> EnsembleCard:
    return EnsembleCard(
        n_models=n_models,
        box_size=box_size,
        sampling_rate=3.54,
        preprocessing=BoxPreprocessing(input_size=32),
        training=TrainingParameters(),
        training_sets=[TrainingSet("AND", True, 500, 1.0)],
    )


def test_network_is_that_of_table_1():
    network = build_network()
    assert network.count_params() == 2_194_130
    assert network.output_shape == (None, 2)
    poolings = [layer for layer in network.layers if "pooling" in layer.name]
    shapes = [layer.output.shape[1:] for layer in poolings]
    assert shapes == [(64, 64, 8), (32, 32, 16), (16, 16, 32), (8, 8, 64)]


def test_every_kernel_is_penalised():
    network = build_network(input_size=16, l2_strength=0.5)
    kernels = [w for w in network.trainable_weights if w.name == "kernel"]
    penalty = float(sum(network.losses))
    expected = 0.5 * sum(float((np.asarray(w) ** 2).sum()) for w in kernels)
    assert len(kernels) == 10
    assert penalty == pytest.approx(expected, rel=1e-5)


def test_refuses_another_number_of_forms():
    with pytest.raises(ValueError, match="expected 8 forms, received 7"):
        build_network(input_size=32, forms=FORMS[1:])


def test_refuses_a_size_that_does_not_pool():
    with pytest.raises(ValueError, match="multiple of 16, received 100"):
        build_network(input_size=100)


def test_fast_network_computes_the_same():
    plain, fast = (build_network(input_size=32, forms=each) for each in ((), FORMS))
    fast.set_weights(plain.get_weights())
    boxes = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)
    np.testing.assert_allclose(
        predict([fast], boxes, batch_size=4),
        predict([plain], boxes, batch_size=4),
        atol=1e-5,
    )


def _trained_looking_network() -> keras.Model:
    """Return a small network whose batch normalisation does something."""
    network = build_network(input_size=32)
    rng = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            numbers = [rng.uniform(0.3, 2, n), *rng.normal(0, 0.2, (2, n))]
            layer.set_weights([*numbers, rng.uniform(0.3, 2, n)])
        elif layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.normal(0, 0.1, bias.shape)])
    return network


def test_folded_network_computes_the_same():
    network = _trained_looking_network()
    folded = build_network(input_size=32, forms=SCORING_FORMS, folded=True)
    folded.set_weights(folded_weights(network))
    boxes = np.random.default_rng(0).normal(size=(8, 32, 32)).astype(np.float32)
    expected = predict([network], boxes, batch_size=8)
    assert np.ptp(expected) > 1e-3
    received = predict([folded], boxes, batch_size=8)
    np.testing.assert_allclose(received, expected, atol=2e-6)


@pytest.mark.slow
def test_half_precision_changes_scores_little_and_leaves_no_trace(tmp_path):
    save_model(tmp_path, [_trained_looking_network()], _card(1))
    boxes = np.random.default_rng(5).normal(size=(8, 32, 32)).astype(np.float32)
    full, half = (
        predict(load_scorers(tmp_path, half_precision=is_half), boxes, batch_size=8)
        for is_half in (False, True)
    )
    assert 0 < np.abs(full - half).max() < 0.02
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
def test_scorers_are_folded_and_networks_to_train_are_not(tmp_path):
    network = _trained_looking_network()
    save_model(tmp_path, [network], _card(1))
    (trainable,), (scorer,) = load_networks(tmp_path), load_scorers(tmp_path)
    for kept, weight in zip(
        trainable.get_weights(), network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(kept, weight)
    kinds = {type(layer) for layer in scorer.layers}
    assert keras.layers.BatchNormalization not in kinds
    boxes = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)
    np.testing.assert_allclose(
        predict([scorer], boxes), predict([network], boxes), atol=1e-5
    )


@pytest.mark.slow
def test_saved_and_loaded_gives_the_same_scores(tmp_path):
    networks = [build_network(input_size=32) for _ in range(2)]
    boxes = np.random.default_rng(0).normal(size=(5, 32, 32)).astype(np.float32)
    save_model(tmp_path / "model", networks, _card())
    loaded = load_networks(tmp_path / "model")
    expected = predict(networks, boxes)
    assert np.abs(expected[:, 0] - expected[:, 1]).max() > 1e-3
    np.testing.assert_array_equal(predict(loaded, boxes), expected)
    assert load_card(tmp_path / "model") == _card()


@pytest.mark.slow
def test_model_file_opens_without_this_package(tmp_path):
    networks = [build_network(input_size=32, forms=FORMS) for _ in range(2)]
    save_model(tmp_path, networks, _card())
    plain = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    boxes = np.random.default_rng(0).normal(size=(3, 32, 32)).astype(np.float32)
    output = plain.predict_on_batch(boxes[..., None])
    assert output.shape == (3, 2, 2)
    np.testing.assert_allclose(output[:, :, 1], predict(networks, boxes), atol=1e-5)
    names = {type(layer).__name__ for net in plain.layers[1:3] for layer in net.layers}
    assert "FourierConv2D" not in names


def test_weights_that_are_not_finite_are_never_written(tmp_path):
    good, bad = (build_network(input_size=32) for _ in range(2))
    save_model(tmp_path / "model", [good], _card(1))
    moving_variance = bad.weights[5]
    moving_variance.assign(np.full(moving_variance.shape, np.nan))
    for folder in ("model", "other"):
        with pytest.raises(
            ValueError,
            match=r"network 2: expected finite weights, .* in 1 of \d+ arrays .*lower",
        ):
            save_model(tmp_path / folder, [good, bad], _card(2))
    assert not (tmp_path / "other").exists()
    assert load_card(tmp_path / "model") == _card(1)


def test_incomplete_folder_is_refused(tmp_path):
    save_model(tmp_path, [build_network(input_size=32)], _card(1))
    (tmp_path / "model.keras").unlink()
    with pytest.raises(ModelFormatError, match=r"received no model\.keras"):
        load_networks(tmp_path)


def test_card_refuses_boxes_of_another_extent():
    _card().check_fits(box_size=180, sampling_rate=1.77)
    with pytest.raises(IncompatibleModelError, match=r"box of about 180 px"):
        _card().check_fits(box_size=90, sampling_rate=1.77)

# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import keras
import numpy as np
import pytest

from deepconsensus_plugin.core.errors import IncompatibleModelError, ModelFormatError
from deepconsensus_plugin.core.models.card import (
    DEEP_CONSENSUS,
    ModelCard,
    TrainingSet,
    load_card,
)
from deepconsensus_plugin.core.models.deep_consensus import build_network
from deepconsensus_plugin.core.models.fourier import FourierConv2D
from deepconsensus_plugin.core.models.store import load_networks, save_model
from deepconsensus_plugin.core.parameters import TrainingParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.scoring import predict


@pytest.fixture(autouse=True)
def _same_weights_every_time():
    keras.utils.set_random_seed(0)


def _card(n_models: int = 2, box_size: int = 90) -> ModelCard:
    return ModelCard(
        kind=DEEP_CONSENSUS,
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


def test_refuses_a_size_that_does_not_pool():
    with pytest.raises(ValueError, match="multiple of 16, received 100"):
        build_network(input_size=100)


@pytest.mark.parametrize(("side", "kernel", "channels"), [(20, 7, 3), (17, 15, 1)])
def test_fourier_convolution_equals_the_plain_one(side, kernel, channels):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    images = tf.constant(rng.normal(size=(2, side, side, channels)), tf.float32)
    weights = tf.constant(rng.normal(size=(kernel, kernel, channels, 4)), tf.float32)
    towards = tf.constant(rng.normal(size=(2, side, side, 4)), tf.float32)

    def result_and_gradients(convolve):
        with tf.GradientTape() as tape:
            tape.watch([images, weights])
            result = convolve(images, weights)
            loss = tf.reduce_sum(result * towards)
        return [result, *tape.gradient(loss, [images, weights])]

    layer = FourierConv2D(4, kernel, padding="same")
    plain = result_and_gradients(lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"))
    fast = result_and_gradients(layer.convolution_op)
    for expected, received in zip(plain, fast, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(received / scale, expected / scale, atol=2e-6)


def test_fast_network_computes_the_same():
    plain, fast = build_network(input_size=32), build_network(input_size=32, fast=True)
    fast.set_weights(plain.get_weights())
    boxes = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)
    np.testing.assert_allclose(
        predict([fast], boxes, batch_size=4),
        predict([plain], boxes, batch_size=4),
        atol=1e-5,
    )


def test_saved_and_loaded_gives_the_same_scores(tmp_path):
    networks = [build_network(input_size=32, fast=True) for _ in range(2)]
    boxes = np.random.default_rng(0).normal(size=(5, 32, 32)).astype(np.float32)
    save_model(tmp_path / "model", networks, _card())
    loaded = load_networks(tmp_path / "model")
    expected = predict(networks, boxes)
    assert np.abs(expected[:, 0] - expected[:, 1]).max() > 1e-3
    np.testing.assert_array_equal(predict(loaded, boxes), expected)
    assert load_card(tmp_path / "model") == _card()


def test_model_file_opens_without_this_package(tmp_path):
    networks = [build_network(input_size=32, fast=True) for _ in range(2)]
    save_model(tmp_path, networks, _card())
    plain = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    boxes = np.random.default_rng(0).normal(size=(3, 32, 32)).astype(np.float32)
    output = plain.predict_on_batch(boxes[..., None])
    assert output.shape == (3, 2, 2)
    np.testing.assert_allclose(output[:, :, 1], predict(networks, boxes), atol=1e-5)
    names = {type(layer).__name__ for net in plain.layers[1:3] for layer in net.layers}
    assert "FourierConv2D" not in names


def test_incomplete_folder_is_refused(tmp_path):
    save_model(tmp_path, [build_network(input_size=32)], _card(1))
    (tmp_path / "model.keras").unlink()
    with pytest.raises(ModelFormatError, match=r"received no model\.keras"):
        load_networks(tmp_path)


def test_card_refuses_boxes_of_another_extent():
    _card().check_fits(box_size=180, sampling_rate=1.77)
    with pytest.raises(IncompatibleModelError, match=r"box of about 180 px"):
        _card().check_fits(box_size=90, sampling_rate=1.77)

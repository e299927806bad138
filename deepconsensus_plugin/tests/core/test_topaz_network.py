# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of Topaz' classifier: images as patches, folded as trained, its size."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from deepconsensus_plugin.core.networks.folding import folded_weights
from deepconsensus_plugin.core.pickers.topaz.architecture import (
    convolutions,
    receptive_field,
)
from deepconsensus_plugin.core.pickers.topaz.network import (
    LOG_ODDS,
    PATCH,
    build_network,
    classifier_of,
)

SHAPE = (12, 17)
"""Places that are compared, on a grid of single pixels."""


def trained(architecture, **options):
    """Return a network for patches that has statistics, slopes and biases."""
    keras.utils.set_random_seed(4)
    network = build_network(architecture, **options)
    rng = np.random.default_rng(4)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, gamma.shape),
                    rng.normal(0, 0.3, beta.shape),
                    rng.normal(0, 0.3, mean.shape),
                    rng.uniform(0.5, 2, variance.shape),
                ]
            )
        elif isinstance(layer, keras.layers.PReLU | keras.layers.Conv2D):
            layer.set_weights(
                [each + rng.normal(0, 0.05, each.shape) for each in layer.get_weights()]
            )
    return network


def image_and_patches(architecture, *, step):
    """Return an image, and its patches at every `step`-th place, row by row."""
    field = receptive_field(architecture)
    rows, columns = SHAPE
    image = np.random.default_rng(5).normal(
        0, 1, (rows + field - 1, columns + field - 1)
    )
    windows = np.lib.stride_tricks.sliding_window_view(image, (field, field))
    chosen = windows[::step, ::step]
    return image.astype(np.float32), chosen.reshape(-1, field, field, 1)


@pytest.mark.parametrize("n_layers", [3, 4])
@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.slow
def test_image_gives_what_its_patches_give(n_layers, step):
    architecture = convolutions(n_layers=n_layers, n_units=2)
    network = trained(architecture)
    image, patches = image_and_patches(architecture, step=step)
    expected = network.predict_on_batch(patches)
    assert np.ptp(expected) > 0.1
    for folded in (False, True):
        dense = build_network(architecture, map_step=step, folded=folded)
        dense.set_weights(folded_weights(network) if folded else network.get_weights())
        found = dense.predict_on_batch(image[None, ..., None])[0, ..., 0]
        np.testing.assert_allclose(
            found, expected.reshape(found.shape), rtol=1e-4, atol=1e-5
        )


def test_largest_step_is_the_product_of_the_strides():
    architecture = convolutions(n_layers=4, n_units=2)
    image = np.zeros((1, 63 + 24, 63 + 24, 1), np.float32)
    places = {
        step: build_network(architecture, map_step=step).predict_on_batch(image).shape
        for step in (1, 8, 16)
    }
    assert places == {1: (1, 25, 25, 1), 8: (1, 4, 4, 1), 16: (1, 4, 4, 1)}


@pytest.mark.parametrize("n_layers", [3, 4])
@pytest.mark.slow
def test_decoder_gives_a_patch_and_leaves_the_classifier_alone(n_layers):
    architecture = convolutions(n_layers=n_layers, n_units=8)
    side = receptive_field(architecture)
    network = trained(architecture, has_decoder=True)
    patches = image_and_patches(architecture, step=8)[1]
    log_odds, reconstructed = network.predict_on_batch(patches)
    assert network.output_names == [LOG_ODDS, PATCH]
    assert reconstructed.shape == (len(patches), side, side, 1)
    assert log_odds.shape == (len(patches), 1)
    classifier = classifier_of(network)
    np.testing.assert_allclose(classifier.predict_on_batch(patches), log_odds)
    alone = build_network(architecture)
    assert classifier.count_params() == alone.count_params()
    alone.set_weights(classifier.get_weights())
    np.testing.assert_allclose(alone.predict_on_batch(patches), log_odds, atol=1e-6)


def test_the_papers_classifier():
    architecture = convolutions()
    assert [receptive_field(convolutions(n_layers=n)) for n in (3, 4, 5)] == [
        *(31, 63, 127)
    ]
    network = build_network(architecture)
    kernels = 7 * 7 * 32 + 5 * 5 * 32 * 64 + 5 * 5 * 64 * 128 + 128
    biases, slopes, gains_and_shifts = 224 + 1, 224, 2 * 224
    trainable = sum(np.size(each) for each in network.trainable_weights)
    assert trainable == kernels + biases + slopes + gains_and_shifts
    assert network.count_params() == trainable + 2 * 224  # means and variances


def test_sizes_that_do_not_fit_are_named():
    for wrong in ({"n_layers": 2}, {"n_units": 0}):
        with pytest.raises(ValueError, match="3 layers or more and 1 unit or more"):
            convolutions(**wrong)

# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from keras import layers

from deepconsensus_plugin.core.networks.convolution import (
    Device,
    form_by_rule,
    has_avx512,
)
from deepconsensus_plugin.core.networks.forms import Convolution, Form
from deepconsensus_plugin.core.networks.fourier import FourierConv2D
from deepconsensus_plugin.core.networks.packed import PackedConv2D, StridedConv2D

FORMS = pytest.mark.parametrize("form", [FourierConv2D, PackedConv2D, StridedConv2D])


@FORMS
@pytest.mark.parametrize(
    ("side", "kernel", "channels"), [(20, 7, 3), (18, 15, 1), (17, 5, 2), (6, 15, 2)]
)
def test_every_form_equals_the_plain_convolution(form, side, kernel, channels):
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

    layer = form(4, kernel, padding="same")
    plain = result_and_gradients(lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"))
    fast = result_and_gradients(layer.convolution_op)
    for expected, received in zip(plain, fast, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(received / scale, expected / scale, atol=2e-6)


@FORMS
def test_weights_are_those_of_the_plain_layer(form):
    shapes = []
    for kind in (layers.Conv2D, form):
        layer = kind(16, 7, padding="same")
        layer.build((None, 8, 8, 3))
        shapes.append([weight.shape for weight in layer.weights])
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("device", "scoring", "expected"),
    [
        (Device.ACCELERATOR, False, "PLAIN PLAIN PLAIN PLAIN"),
        (Device.CPU_AVX512, False, "FOURIER FOURIER PACKED PLAIN"),
        (Device.CPU_AVX512, True, "PLAIN FOURIER STRIDED PLAIN"),
        (Device.CPU, False, "FOURIER FOURIER FOURIER PLAIN"),
        (Device.CPU, True, "FOURIER FOURIER PLAIN PLAIN"),
    ],
)
def test_form_follows_device_and_shape(device, scoring, expected):
    shapes = [
        Convolution(size, channels, 8, 32)
        for size, channels in [(15, 1), (15, 8), (7, 8), (3, 16)]
    ]
    chosen = [form_by_rule(each, device=device, scoring=scoring) for each in shapes]
    assert chosen == [Form[name] for name in expected.split()]


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512bw\n\nflags\t: fpu", True),
        ("processor\t: 0\nflags\t\t: fpu avx2\n", False),
        ("model name\t: avx512f\nFeatures\t: asimd\n", False),
        ("", False),
    ],
)
def test_avx512_is_read_from_the_flags(cpuinfo, expected):
    assert has_avx512(cpuinfo) is expected

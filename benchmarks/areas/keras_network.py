# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of contaminants in Keras, to be trained; NumPy evaluates it afterwards."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from benchmarks.areas.network import CLASSES, DOWN, LAYERS, UP
from benchmarks.areas.network_input import N_CHANNELS

_WIDTHS_DOWN = (12, 20, 28, 32, 32)
_WIDTHS_UP = (32, 24, 16, 12)
_EPSILON = 1e-3


def build_network() -> keras.Model:
    """Return the untrained network; its output are logits of `CLASSES`, half the size.

    Input of shape (batch, side, side, 3), with sides that are multiples of 32.
    """
    inputs = keras.Input((None, None, N_CHANNELS))
    level, levels = inputs, []
    for block, width in zip(DOWN, _WIDTHS_DOWN, strict=True):
        if block == DOWN[0]:
            level = _layer("stem", level, width, strides=2)
        else:
            level = layers.MaxPooling2D(2)(level)
            level = _layer(f"{block}a", level, width)
        level = _layer(f"{block}b", level, width)
        levels.append(level)
    levels.pop()
    for block, width in zip(UP, _WIDTHS_UP, strict=True):
        level = layers.UpSampling2D(2)(level)
        level = layers.Concatenate()([level, levels.pop()])
        level = _layer(block, level, width)
    logits = layers.Conv2D(len(CLASSES), 1, name="classes", dtype="float32")(level)
    return keras.Model(inputs, logits)


def _layer(
    name: str, values: keras.KerasTensor, width: int, *, strides: int = 1
) -> keras.KerasTensor:
    convolved = layers.Conv2D(
        width, 3, strides=strides, padding="same", use_bias=False, name=name
    )(values)
    normalised = layers.BatchNormalization(
        epsilon=_EPSILON, momentum=0.97, name=f"{name}_norm"
    )(convolved)
    return layers.ReLU()(normalised)


def folded_weights(model: keras.Model) -> Mapping[str, np.ndarray]:
    """Return the weights of each convolution, with its normalisation taken in."""
    weights = {}
    for name in LAYERS:
        kernel, *bias = model.get_layer(name).get_weights()
        if name == "classes":
            weights[f"{name}_kernel"], weights[f"{name}_bias"] = kernel, bias[0]
            continue
        gamma, beta, mean, variance = model.get_layer(f"{name}_norm").get_weights()
        gain = gamma / np.sqrt(variance + _EPSILON)
        weights[f"{name}_kernel"] = kernel * gain
        weights[f"{name}_bias"] = beta - mean * gain
    return weights

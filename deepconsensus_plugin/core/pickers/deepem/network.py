# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of DeepEM (Zhu et al. 2017, Figure 1 and eqs. 1 – 3).

Three convolutions without padding, each with sigmoid units and followed by a
subsampling that averages squares of pixels; then one sigmoid unit connected to all
remaining values.

Input: boxes, ``(batch, side, side, 1)``; output ``(batch, 1)``, probabilities of a
particle.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture
from deepconsensus_plugin.core.pickers.deepem.parameters import Initialisation, Variant

_STATISTICS_MOMENTUM = 0.9
"""Momentum of running mean and variance; Keras' 0.99 lags behind after few updates."""


def build_network(
    architecture: DeepEMArchitecture,
    *,
    variant: Variant = Variant.MODERN,
    initialisation: Initialisation = Initialisation.SCALED,
) -> keras.Model:
    """Return an untrained network for boxes.

    Parameters
    ----------
    architecture : DeepEMArchitecture
        Sizes of the layers.
    variant : Variant
        Whether convolutions are batch-normalised.
    initialisation : Initialisation
        Initialisation of the weights.
    """
    weights: dict[str, Any] = {}
    if initialisation is Initialisation.UNIT:
        drawn = keras.initializers.RandomUniform(0.0, 1.0)
        weights = {"kernel_initializer": drawn, "bias_initializer": drawn}
    side = architecture.box_size
    image = keras.Input((side, side, 1), name="image")
    x = image
    for kernel, n_maps, pool in architecture.layers:
        x = layers.Conv2D(n_maps, kernel, **weights)(x)
        if variant is Variant.MODERN:
            x = layers.BatchNormalization(momentum=_STATISTICS_MOMENTUM)(x)
        x = layers.Activation("sigmoid")(x)
        x = layers.AveragePooling2D(pool)(x)
    dense = layers.Dense(1, activation="sigmoid", dtype="float32", **weights)
    return keras.Model(image, dense(layers.Flatten()(x)), name="deepem")

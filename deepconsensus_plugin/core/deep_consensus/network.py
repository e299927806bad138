# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of Deep Consensus (Sanchez-Garcia et al. 2018, Table 1).

Input ``(batch, 128, 128, 1)``; output ``(batch, 2)``, softmax probabilities of
background and particle. 2 194 130 parameters, 334 M multiply-adds a box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import keras
from keras import layers

from deepconsensus_plugin.core.deep_consensus.architecture import (
    FILTERS,
    KERNELS,
    N_CLASSES,
    N_HIDDEN,
    convolutions,
)
from deepconsensus_plugin.core.networks.convolution import LAYERS
from deepconsensus_plugin.core.networks.forms import Form

_STATISTICS_MOMENTUM = 0.9
"""Momentum of running mean and variance; Keras' 0.99 lags behind after few updates."""

PARTICLE = 1
"""Column of the output that is the probability of a particle."""


def build_network(
    *,
    input_size: int = 128,
    l2_strength: float = 1e-5,
    forms: Sequence[Form] = (),
    folded: bool = False,
) -> keras.Model:
    """Return the untrained network of Table 1.

    Parameters
    ----------
    input_size : int
        Side of the input, pixels; the paper's network has 128.
    l2_strength : float
        L2 penalty on the kernels of every layer (paper: 1e-5).
    forms : sequence of Form
        Form of each convolution (`core.networks.fastest` knows the fastest), plain if
        there are none; all compute the same function of the same weights. Networks are
        saved in the plain form.
    folded : bool
        Whether to leave out batch normalisation, for scoring with weights that it was
        folded into (`folding`).

    Raises
    ------
    ValueError
        If `input_size` is not a positive multiple of 16, or there is not one form for
        each convolution.
    """
    if input_size < 16 or input_size % 16:
        raise ValueError(f"input_size must be a multiple of 16, received {input_size}")
    n_forms = len(convolutions(input_size))
    if forms and len(forms) != n_forms:
        raise ValueError(f"expected {n_forms} forms, received {len(forms)}")
    image = keras.Input((input_size, input_size, 1), name="box")
    kinds = iter([LAYERS[form] for form in forms or [Form.PLAIN] * n_forms])
    block = partial(_block, l2_strength=l2_strength, kinds=kinds, folded=folded)
    poolings = [layers.MaxPooling2D(side, 2, "same") for side in (7, 5, 3)]
    poolings.append(layers.AveragePooling2D(4, 2, "same"))
    x = image
    for kernel, filters, pooling in zip(KERNELS, FILTERS, poolings, strict=True):
        x = block(x, kernel, filters, pooling)
    x = layers.Flatten()(x)
    penalty = keras.regularizers.L2(l2_strength)
    x = layers.Dense(N_HIDDEN, activation="relu", kernel_regularizer=penalty)(x)
    x = layers.Dropout(0.5)(x)
    output = layers.Dense(
        N_CLASSES, activation="softmax", kernel_regularizer=penalty, dtype="float32"
    )(x)
    return keras.Model(image, output, name="deep_consensus")


def _block(
    x: keras.KerasTensor,
    kernel_size: int,
    filters: tuple[int, int],
    pooling: keras.layers.Layer,
    *,
    l2_strength: float,
    kinds: Iterator[type[layers.Conv2D]],
    folded: bool,
) -> keras.KerasTensor:
    """Return the output of a block: two convolutions and a pooling."""
    penalty = keras.regularizers.L2(l2_strength)
    for i, n_filters in enumerate(filters):
        x = next(kinds)(
            n_filters, kernel_size, padding="same", kernel_regularizer=penalty
        )(x)
        if i == 1 and not folded:
            x = layers.BatchNormalization(momentum=_STATISTICS_MOMENTUM)(x)
        x = layers.Activation("relu")(x)
    return pooling(x)

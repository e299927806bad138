# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads of all data sets as one Keras layer; each batch trains one of them.

The weights of all heads are stacked, so that one graph serves any number of them. The
generalisation head is never applied; it is trained only by the distance of the other
heads from it (eq. 3.4).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.hydra.group_norm import normalise_groups
from deepconsensus_plugin.core.pickers.hydra.losses import bias_loss
from deepconsensus_plugin.core.pickers.hydra.network import (
    Form,
    build_body,
    build_head,
    head_paddings,
)
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture
from deepconsensus_plugin.core.pickers.hydra.stored_parts import BODY

Tensor = Any
"""Tensor of Keras' backend."""

Weights = list[NDArray[np.float32]]
"""Weights of a body or a head, from ``get_weights``."""

HEADS = "heads"
"""Name of the layer."""

_A_BLOCK = 4
"""Weights of a block: kernel, bias, and those of its normalisation."""


class HydraHeads(layers.Layer):  # type: ignore[misc]
    """Layer that applies one of several heads of the same structure.

    Parameters
    ----------
    architecture : HydraArchitecture
        Architecture of the heads.
    n_heads : int
        Number of heads of data sets, without the general one.
    bias_strength : float
        λ of the distance from the general head; without such a head 0.
    is_general_trained : bool
        Whether the distance trains the general head, too.
    """

    def __init__(
        self,
        architecture: HydraArchitecture,
        *,
        n_heads: int,
        bias_strength: float = 0.0,
        is_general_trained: bool = True,
    ) -> None:
        super().__init__(name=HEADS)
        self.architecture, self.n_heads = architecture, n_heads
        self.bias_strength = bias_strength
        first = build_head(architecture).get_weights()
        self.special = [
            self.add_weight(shape=(n_heads, *each.shape), initializer="zeros")
            for each in first
        ]
        self.general = [
            self.add_weight(
                shape=each.shape, initializer="zeros", trainable=is_general_trained
            )
            for each in (first if bias_strength else [])
        ]
        self.dropouts = [
            layers.Dropout(architecture.dropout) for _ in architecture.head_channels
        ]
        self.give(first)

    def give(self, weights: Weights) -> None:
        """Set every head, the general one too, to the same weights."""
        for own, value in zip(self.special, weights, strict=True):
            own.assign(np.repeat(value[None], self.n_heads, axis=0))
        if self.general:
            for shared, value in zip(self.general, weights, strict=True):
                shared.assign(value)

    def weights_of(self, number: int) -> Weights:
        """Return the weights of the head of a data set, counted from 0."""
        return [np.asarray(each[number]) for each in self.special]

    def general_weights(self) -> Weights:
        """Return the weights of the general head or, without one, of the only head."""
        if not self.general:
            return self.weights_of(0)
        return [np.asarray(each) for each in self.general]

    def call(
        self, features: Tensor, which: Tensor, training: bool | None = None
    ) -> Tensor:
        """Apply the head of a batch.

        Parameters
        ----------
        features : tensor, shape (batch, rows, columns, channels)
            Features of the body.
        which : tensor, shape (batch, 1), int
            Number of the head, from 0; the same of the whole batch.
        training : bool, optional
            Whether values are dropped.
        """
        if self.general:
            distance = bias_loss(self.special, self.general)
            self.add_loss(self.bias_strength * distance)
        number = ops.cast(which[0, 0], "int32")
        weights = [ops.take(each, number, axis=0) for each in self.special]
        x = features
        for i, (before, after) in enumerate(head_paddings(self.architecture)):
            kernel, bias, gamma, beta = weights[_A_BLOCK * i : _A_BLOCK * (i + 1)]
            x = ops.pad(x, [(0, 0), (before, after), (before, after), (0, 0)])
            x = ops.relu(ops.conv(x, kernel, 2, "valid") + bias)
            x = normalise_groups(x, gamma, beta, n_groups=self.architecture.n_groups)
            x = self.dropouts[i](x, training=training)
        kernel, bias = weights[-2:]
        return ops.conv(x, kernel, 1, "same") + bias


def build_trainable(
    architecture: HydraArchitecture,
    *,
    n_heads: int,
    bias_strength: float = 0.0,
    is_body_trained: bool = True,
    is_general_trained: bool = True,
) -> keras.Model:
    """Return a network to train, with the inputs ``image`` and ``head`` (a number).

    Parameters
    ----------
    architecture : HydraArchitecture
        Its sizes.
    n_heads, bias_strength, is_general_trained
        As `HydraHeads`.
    is_body_trained : bool
        Whether the body is trained; neither body nor general head is in few-shot
        training.
    """
    image = keras.Input((None, None, 1), name="image")
    which = keras.Input((1,), name="head", dtype="int32")
    body = build_body(architecture, Form.FAST)
    body.trainable = is_body_trained
    heads = HydraHeads(
        architecture,
        n_heads=n_heads,
        bias_strength=bias_strength,
        is_general_trained=is_general_trained,
    )
    inputs = {"image": image, "head": which}
    return keras.Model(inputs, heads(body(image), which), name="hydra_in_training")


def body_of(network: keras.Model) -> keras.Model:
    """Return the body of a network in training."""
    return network.get_layer(BODY)


def heads_of(network: keras.Model) -> HydraHeads:
    """Return the heads of a network in training."""
    heads: HydraHeads = network.get_layer(HEADS)
    return heads

# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch normalisation folded into the convolution before it, for scoring.

A trained network normalises by fixed numbers: mean μ and variance σ² of each channel,
then scale γ and shift β. After a convolution with kernel w and bias b that is another
convolution,

    γ (w ∗ x + b − μ) / √(σ² + ε) + β  =  (g w) ∗ x + g (b − μ) + β,   g = γ / √(σ² + ε)
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from deepconsensus_plugin.core.networks.stored import BATCH_NORMALISATION, StoredNetwork

EPSILON = 1e-3
"""What is added to variances, Keras' default."""


def folded_weights(network: keras.Model) -> list[NDArray[np.float32]]:
    """Return the weights of the same network without batch normalisation.

    Parameters
    ----------
    network : keras.Model
        A chain of layers in which batch normalisation directly follows a convolution
        or dense layer with a bias.

    Returns
    -------
    list of arrays
        As ``set_weights`` of the network without those layers takes them.
    """
    return _fold(
        (layer.epsilon, layer.get_weights())
        if isinstance(layer, layers.BatchNormalization)
        else (None, layer.get_weights())
        for layer in network.layers
    )


def fold_stored(
    network: StoredNetwork, weights: list[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """Return the weights of a stored network without batch normalisation.

    Parameters
    ----------
    network : StoredNetwork
        A chain of layers as for `folded_weights`.
    weights : list of arrays
        Its weights.
    """
    rest = iter(weights)
    return _fold(
        (
            EPSILON if layer.kind == BATCH_NORMALISATION else None,
            list(islice(rest, len(layer.shapes))),
        )
        for layer in network.layers
    )


def _fold(
    some_layers: Iterable[tuple[float | None, list[NDArray[np.float32]]]],
) -> list[NDArray[np.float32]]:
    """Return the weights of layers; those of a normalisation come with its ε."""
    weights: list[NDArray[np.float32]] = []
    for epsilon, own in some_layers:
        if epsilon is None:
            weights.extend(own)
        else:
            gamma, beta, mean, variance = own
            gain = gamma / np.sqrt(variance + epsilon)
            kernel, bias = weights[-2:]
            weights[-2:] = [gain * kernel, gain * (bias - mean) + beta]
    return weights

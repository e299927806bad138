# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch normalisation folded into the convolution before it, for scoring.

A trained network normalises by fixed numbers: mean μ and variance σ² of each channel,
then scale γ and shift β. After a convolution with kernel w and bias b that is another
convolution,

    γ (w ∗ x + b − μ) / √(σ² + ε) + β  =  (g w) ∗ x + g (b − μ) + β,   g = γ / √(σ² + ε)
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray


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
    weights: list[NDArray[np.float32]] = []
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            gain = gamma / np.sqrt(variance + layer.epsilon)
            kernel, bias = weights[-2:]
            weights[-2:] = [gain * kernel, gain * (bias - mean) + beta]
        else:
            weights.extend(layer.get_weights())
    return weights

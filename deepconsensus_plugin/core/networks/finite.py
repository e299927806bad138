# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that the weights and the loss of a network are finite.

Weights are looked at themselves, not what the network returns: kernels may turn NaN
into 0 (oneDNN's fused ReLU does), so that a network of NaN gives every box the same
ordinary score.
"""

from __future__ import annotations

import math

import keras
import numpy as np

_REMEDY = "the training diverged; lower the learning rate"


def check_training(
    network: keras.Model, *, name: str, update: int, loss: float
) -> None:
    """Check a network in training; takes milliseconds.

    Parameters
    ----------
    network : keras.Model
        Compiled with an optimiser.
    name : str
        What errors call it.
    update : int
        Updates so far.
    loss : float
        Training loss since the last validation.

    Raises
    ------
    ValueError
        If the loss or a weight is NaN or infinite.
    """
    faults = [] if math.isfinite(loss) else [f"a loss of {loss}"]
    faults += _describe_bad_weights(network)
    if faults:
        rate = float(network.optimizer.learning_rate)
        raise ValueError(
            f"{name}, update {update}: expected finite weights and a finite training "
            f"loss, received {' and '.join(faults)}: {_REMEDY} ({rate:g})"
        )


def check_weights(network: keras.Model, *, name: str) -> None:
    """Check a network before it is written.

    Parameters
    ----------
    network : keras.Model
        Network of any type of weights, the one that is written.
    name : str
        What errors call it.

    Raises
    ------
    ValueError
        If a weight is NaN or infinite.
    """
    faults = _describe_bad_weights(network)
    if faults:
        raise ValueError(
            f"{name}: expected finite weights, received {faults[0]}: {_REMEDY}"
        )


def _describe_bad_weights(network: keras.Model) -> list[str]:
    """Return a phrase on the arrays of weights that are not finite, if there are any.

    ``network.weights`` holds what batch normalisation has learnt, too.
    """
    weights = network.weights
    bad = [each for each in weights if not np.isfinite(np.asarray(each)).all()]
    if not bad:
        return []
    return [f"NaN or infinity in {len(bad)} of {len(weights)} arrays ({bad[0].path})"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Network that stands for that of Deep Consensus where its size does not matter.

Graphs of the published one take seconds to make, for every network anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

_USERS = ("ensemble", "store")
"""Modules that build networks."""


def small_network(
    *,
    input_size: int,
    l2_strength: float = 1e-5,
    fast: bool = False,
    folded: bool = False,
):
    """Return an untrained network with a layer of each kind; see `build_network`."""
    import keras  # heavy

    layers = keras.layers
    penalty = keras.regularizers.L2(l2_strength)
    network = [
        keras.Input((input_size, input_size, 1), name="box"),
        layers.Conv2D(8, 8, strides=4, kernel_regularizer=penalty),
        *([] if folded else [layers.BatchNormalization(momentum=0.9)]),
        layers.Activation("relu"),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(
            2, activation="softmax", kernel_regularizer=penalty, dtype="float32"
        ),
    ]
    return keras.Sequential(network, name="deep_consensus")


@contextmanager
def small_networks() -> Iterator[None]:
    """Let all that is trained and scored in this process use small networks."""
    with ExitStack() as stack:
        for module in _USERS:
            name = f"deepconsensus_plugin.core.deep_consensus.{module}.build_network"
            stack.enter_context(patch(name, small_network))
        yield

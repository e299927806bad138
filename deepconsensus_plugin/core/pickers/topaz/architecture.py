# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of the layers of Topaz' classifier (Bepler et al. 2018, Methods 6)."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.networks.stored import (
    StoredLayer,
    StoredNetwork,
    batch_normalisation,
    slopes,
)
from deepconsensus_plugin.core.networks.stored import convolution as stored_convolution
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters


@dataclass(frozen=True)
class Convolution:
    """Convolutional layer: kernel size, number of maps and stride."""

    kernel: int
    maps: int
    stride: int


def convolutions(*, n_layers: int = 3, n_units: int = 32) -> tuple[Convolution, ...]:
    """Return the layers of a classifier.

    Parameters
    ----------
    n_layers : int
        3 is the paper's, which sees 31 pixels; each further layer doubles that (4 sees
        63, 5 sees 127).
    n_units : int
        Maps of the first layer (paper: 32); each layer has twice those before it.

    Raises
    ------
    ValueError
        If there are fewer than 3 layers, or no units.
    """
    if n_layers < 3 or n_units < 1:
        raise ValueError(
            "expected 3 layers or more and 1 unit or more, received "
            f"{n_layers} and {n_units}"
        )
    return tuple(
        Convolution(
            kernel=7 if i == 0 else 5,
            maps=n_units * 2**i,
            stride=1 if i == n_layers - 1 else 2,
        )
        for i in range(n_layers)
    )


def architecture_of(parameters: TopazParameters) -> tuple[Convolution, ...]:
    """Return the layers of the network for training parameters."""
    return convolutions(n_layers=parameters.n_layers, n_units=parameters.n_units)


def receptive_field(architecture: tuple[Convolution, ...]) -> int:
    """Return the side of the receptive field of an output, pixels; odd."""
    field, step = 1, 1
    for layer in architecture:
        field += (layer.kernel - 1) * step
        step *= layer.stride
    return field


def stored_network(architecture: tuple[Convolution, ...]) -> StoredNetwork:
    """Return a classifier as a file holds it."""
    layers: list[StoredLayer] = []
    n_in = 1
    for layer in architecture:
        layers += [
            stored_convolution(layer.kernel, n_in, layer.maps),
            batch_normalisation(layer.maps),
            slopes(layer.maps),
        ]
        n_in = layer.maps
    return StoredNetwork((*layers, stored_convolution(1, n_in, 1)))

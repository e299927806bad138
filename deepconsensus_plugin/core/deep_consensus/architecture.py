# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of the network of Deep Consensus (Sanchez-Garcia et al. 2018, Table 1)."""

from __future__ import annotations

from deepconsensus_plugin.core.networks.forms import Convolution
from deepconsensus_plugin.core.networks.stored import (
    StoredLayer,
    StoredNetwork,
    batch_normalisation,
    convolution,
    dense,
)

KERNELS = (15, 7, 3, 3)
"""Side of the kernels of each block, pixels."""

FILTERS = ((8, 8), (8, 16), (32, 32), (64, 64))
"""Filters of the two convolutions of each block."""

N_HIDDEN, N_CLASSES = 512, 2

_HALVINGS = len(KERNELS)
"""Each block halves rows and columns."""

MEMBER = "network_{number}"
"""Name of a network in a file of an ensemble, from 1."""


def convolutions(input_size: int) -> tuple[Convolution, ...]:
    """Return the shapes of the network's convolutions, in order."""
    shapes: list[Convolution] = []
    n_in = 1
    for halvings, (kernel, filters) in enumerate(zip(KERNELS, FILTERS, strict=True)):
        for n_out in filters:
            shapes.append(Convolution(kernel, n_in, n_out, input_size >> halvings))
            n_in = n_out
    return tuple(shapes)


def stored_network(number: int, *, input_size: int) -> StoredNetwork:
    """Return a network of an ensemble as a file holds it."""
    layers: list[StoredLayer] = []
    n_in = 1
    for kernel, filters in zip(KERNELS, FILTERS, strict=True):
        for n_filters in filters:
            layers.append(convolution(kernel, n_in, n_filters))
            n_in = n_filters
        layers.append(batch_normalisation(n_in))
    side = input_size >> _HALVINGS
    layers += [dense(n_in * side * side, N_HIDDEN), dense(N_HIDDEN, N_CLASSES)]
    return StoredNetwork(tuple(layers), MEMBER.format(number=number), number - 1)

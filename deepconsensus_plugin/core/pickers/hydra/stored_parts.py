# SPDX-License-Identifier: GPL-3.0-or-later
"""Body and heads of a HydraPicker as a file holds them."""

from __future__ import annotations

from deepconsensus_plugin.core.networks.stored import (
    StoredLayer,
    StoredNetwork,
    convolution,
    group_normalisation,
)
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture

BODY, HEAD = "body", "head_{number}"
"""Names of the parts of a saved network; head 0 is the general one."""

N_OUTPUTS = 3
"""Numbers for each anchor."""


def stored_body(architecture: HydraArchitecture) -> StoredNetwork:
    """Return a body: pairs of 3x3 convolutions, each normalised."""
    n = architecture.body_channels
    layers: list[StoredLayer] = []
    for number in range(1 + 2 * architecture.n_residual):
        layers += [
            convolution(3, n if number else 1, n, has_bias=False),
            convolution(3, n, n, has_bias=False),
            group_normalisation(n),
        ]
    return StoredNetwork(tuple(layers), BODY)


def stored_heads(architecture: HydraArchitecture, n: int) -> list[StoredNetwork]:
    """Return `n` heads: normalised convolutions of stride 2, and the outputs."""
    layers: list[StoredLayer] = []
    n_in = architecture.body_channels
    for channels in architecture.head_channels:
        layers += [convolution(3, n_in, channels), group_normalisation(channels)]
        n_in = channels
    layers.append(convolution(3, n_in, N_OUTPUTS))
    names = [HEAD.format(number=number) for number in range(n)]
    places = {name: place for place, name in enumerate(sorted(names), start=1)}
    return [StoredNetwork(tuple(layers), name, places[name]) for name in names]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of a stored network and the shapes of their weights, without Keras.

A card tells what network it is the card of. So a file of weights can be checked, and
read, before anything of that size is built.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Shape = tuple[int, ...]

CONVOLUTION, DENSE, SLOPES = "conv2d", "dense", "p_re_lu"
BATCH_NORMALISATION = "batch_normalization"
GROUP_NORMALISATION = "group_normalization"
"""Kinds of layers, as Keras names their groups in a file."""


@dataclass(frozen=True)
class StoredLayer:
    """One layer with weights.

    Parameters
    ----------
    kind : str
        Kind of the layer.
    shapes : tuple of tuple of int
        Shapes of its weights, in Keras' order.
    """

    kind: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class StoredNetwork:
    """One network in a file of weights.

    Parameters
    ----------
    layers : tuple of StoredLayer
        Layers with weights, in their order.
    name : str
        Its name among several in one file; empty where it is the only one, and the
        file its own.
    place : int
        Its number among them, from 0, in Keras' order: that of the outputs of the
        whole network, by name where they have names.
    """

    layers: tuple[StoredLayer, ...]
    name: str = ""
    place: int = 0

    @property
    def n_weights(self) -> int:
        """Number of weights."""
        return sum(math.prod(s) for each in self.layers for s in each.shapes)


def convolution(
    kernel: int, n_in: int, n_out: int, *, has_bias: bool = True
) -> StoredLayer:
    """Return a convolution of square kernels."""
    shapes: tuple[Shape, ...] = ((kernel, kernel, n_in, n_out), (n_out,))
    return StoredLayer(CONVOLUTION, shapes if has_bias else shapes[:1])


def dense(n_in: int, n_out: int) -> StoredLayer:
    """Return a layer of connections between all units."""
    return StoredLayer(DENSE, ((n_in, n_out), (n_out,)))


def batch_normalisation(n: int) -> StoredLayer:
    """Return a batch normalisation: factor, shift, mean and variance."""
    return StoredLayer(BATCH_NORMALISATION, ((n,),) * 4)


def group_normalisation(n: int) -> StoredLayer:
    """Return a group normalisation: factor and shift."""
    return StoredLayer(GROUP_NORMALISATION, ((n,),) * 2)


def slopes(n: int) -> StoredLayer:
    """Return units with one slope a channel below 0."""
    return StoredLayer(SLOPES, ((1, 1, n),))


def numbered(layers: Iterable[StoredLayer]) -> list[tuple[str, StoredLayer]]:
    """Return every layer with its name in a file: ``conv2d``, ``conv2d_1`` …."""
    counts: dict[str, int] = {}
    named = []
    for layer in layers:
        number = counts.get(layer.kind, 0)
        counts[layer.kind] = number + 1
        named.append((f"{layer.kind}_{number}" if number else layer.kind, layer))
    return named

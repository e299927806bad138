# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepEM's network for whole micrographs: the mean over rotated boxes, everywhere.

Subsampling is replaced by spaced kernels in the later layers, so that every place gets
the output of its own box. A rotated box is scored by rotating the kernels instead,
which is exact because the pools fill their maps.

Input: micrographs, ``(batch, rows, columns, 1)``; output ``(batch, rows', columns',
1)``: the probability that the box of a place holds a particle.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from deepconsensus_plugin.core.networks.folding import folded_weights
from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture

QUARTER_TURNS = (0, 1, 2, 3)
"""Rotations of a box whose scores are averaged, quarter turns."""

_FIRST = "first"
"""Name of the first layer, which all rotations share."""


def build_recogniser(
    architecture: DeepEMArchitecture,
    *,
    map_step: int,
    quarter_turns: tuple[int, ...] = QUARTER_TURNS,
) -> keras.Model:
    """Return a network for micrographs, whose weights `give_weights` sets.

    All rotations share the first layer, which takes the most time.

    Parameters
    ----------
    architecture : DeepEMArchitecture
        Architecture of the network for boxes.
    map_step : int
        Pixels between the places of the output: 1, or a product of the first of the
        architecture's pools.
    quarter_turns : tuple of int
        Quarter turns of the boxes, over which the mean is taken; the paper's four by
        default.

    Raises
    ------
    ValueError
        If `map_step` does not fit the subsampling.
    """
    first, *others = _walk(architecture, map_step)
    image = keras.Input((None, None, 1), name="image")
    maps = first.build(len(quarter_turns) * architecture.maps[0], _FIRST)(image)
    outputs = []
    for i, turn in enumerate(quarter_turns):
        own = slice(i * architecture.maps[0], (i + 1) * architecture.maps[0])
        x = maps[..., own]
        for number, step in enumerate(others):
            n_maps = (*architecture.maps, 1)[number + 1]
            x = step.build(n_maps, _layer_name(turn, number))(x)
        outputs.append(x)
    mean = layers.Average()(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(image, mean, name="deepem_recogniser")


def give_weights(
    recogniser: keras.Model,
    network: keras.Model,
    quarter_turns: tuple[int, ...] = QUARTER_TURNS,
) -> None:
    """Set the weights of a recogniser, for each rotation, from a network for boxes."""
    *weights, connections, bias = folded_weights(network)
    weights += [_as_kernel(connections, n_maps=len(weights[-1])), bias]
    turned = [[_turned(w, turn) for w in weights] for turn in quarter_turns]
    first = [np.concatenate([w[i] for w in turned], axis=-1) for i in (0, 1)]
    recogniser.get_layer(_FIRST).set_weights(first)
    for turn, own in zip(quarter_turns, turned, strict=True):
        for number in range(len(own) // 2 - 1):
            layer = recogniser.get_layer(_layer_name(turn, number))
            layer.set_weights(own[2 * number + 2 : 2 * number + 4])


@dataclass(frozen=True)
class _Step:
    """Convolution over places of a grid, followed by its subsampling, if any."""

    kernel: int
    dilation: int
    pool: int
    stride: int

    def build(self, n_maps: int, name: str) -> Callable[[Any], Any]:
        """Return the function of maps."""

        def step(maps: Any) -> Any:
            convolution = layers.Conv2D(
                n_maps,
                self.kernel,
                dilation_rate=self.dilation,
                activation="sigmoid",
                name=name,
            )
            maps = convolution(maps)
            if self.pool == 1:
                return maps
            if self.dilation == 1:
                return layers.AveragePooling2D(self.pool, self.stride)(maps)
            return SpacedMean(self.pool, spacing=self.dilation, stride=self.stride)(
                maps
            )

        return step


def _walk(architecture: DeepEMArchitecture, map_step: int) -> list[_Step]:
    """Return the steps to a grid of `map_step`, on which later ones reach farther."""
    reachable = [1, *accumulate(architecture.pools, operator.mul)]
    if map_step not in reachable:
        raise ValueError(f"map_step: expected one of {reachable}, received {map_step}")
    steps = []
    for (kernel, _, pool), apart in zip(architecture.layers, reachable, strict=False):
        here, onward = min(apart, map_step), min(apart * pool, map_step)
        steps.append(_Step(kernel, apart // here, pool, onward // here))
    last = reachable[-1] // map_step
    return [*steps, _Step(architecture.sides[-1], last, 1, 1)]


class SpacedMean(layers.Layer):  # type: ignore[misc]
    """Mean of squares of spaced pixels: eq. 3 at every place.

    Parameters
    ----------
    pool : int
        Side of the squares.
    spacing : int
        Pixels from one to the next in a square.
    stride : int
        Pixels from one square to the next.
    """

    def __init__(self, pool: int, *, spacing: int, stride: int) -> None:
        super().__init__()
        reach = (pool - 1) * spacing
        self._parts = [
            slice(offset, offset - reach or None, stride)
            for offset in range(0, reach + 1, spacing)
        ]

    def call(self, maps: Any) -> Any:
        """Average along rows, then along columns."""
        maps = sum(maps[:, part] for part in self._parts) / len(self._parts)
        return sum(maps[:, :, part] for part in self._parts) / len(self._parts)


def _as_kernel(connections: NDArray[np.float32], *, n_maps: int) -> NDArray[np.float32]:
    """Return weights of the connections to all pixels of all maps as a kernel."""
    side = math.isqrt(len(connections) // n_maps)
    return connections.reshape(side, side, n_maps, 1)


def _turned(weight: NDArray[np.float32], quarter_turns: int) -> NDArray[np.float32]:
    """Return rotated kernels and unchanged biases."""
    return np.rot90(weight, -quarter_turns) if weight.ndim == 4 else weight


def _layer_name(turn: int, number: int) -> str:
    return f"turn_{turn}_{number}"

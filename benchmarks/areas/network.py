# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of contaminants, evaluated with NumPy alone.

A small U-net whose weights `make train-mask` writes: convolutions of
3 by 3 pixels with ReLU between them, five times coarser by 2 and four times back, each
level joined with the one of the same size on the way down, and a softmax over classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

Float32Array = NDArray[np.float32]

CLASSES = (AreaKind.USABLE, AreaKind.CARBON, AreaKind.ICE, AreaKind.CONTAMINATION)
"""Kinds in the order of the network's outputs."""

DOWN = ("down1", "down2", "down3", "down4", "down5")
UP = ("up4", "up3", "up2", "up1")
"""Blocks in their order; those of `DOWN` are of two convolutions."""

LAYERS = (
    "stem",
    *(
        f"{block}{part}"
        for block in DOWN
        for part in ("a", "b")
        if block + part != "down1a"
    ),
    *UP,
    "classes",
)
"""Names of the convolutions; each has a kernel and a bias."""

REDUCTION = 2 ** len(DOWN)
"""Ratio of the sides of the finest and of the coarsest level."""

WEIGHTS, CARD = "weights.npz", "card.json"


@dataclass(frozen=True, eq=False)
class ContaminationNetwork:
    """Weights of the network, and what it was measured at.

    Parameters
    ----------
    weights : mapping of str to array, float32
        ``NAME_kernel`` of shape (3, 3, in, out), or (1, 1, in, out) for the classes,
        and ``NAME_bias`` of shape (out,), for each name in `LAYERS`.
    pixel_sizes_A : tuple of float
        Range of pixel sizes on which it works, Å.
    threshold : float
        Probability of contamination from which a pixel is unusable.
    """

    weights: Mapping[str, Float32Array]
    pixel_sizes_A: tuple[float, float]
    threshold: float

    def probabilities(self, channels: Float32Array) -> Float32Array:
        """Return the probability of each class at each pixel.

        Parameters
        ----------
        channels : array, shape (rows, columns, 3), float32
            `network_input`.

        Returns
        -------
        array, shape (rows, columns, 4), float32
            In the order of `CLASSES`; they sum to 1, and are alike in blocks of 2 by 2
            pixels.
        """
        rows, columns = channels.shape[:2]
        lacking = [(0, -length % REDUCTION) for length in (rows, columns)]
        level = np.pad(channels, [*lacking, (0, 0)])
        levels = []
        for block in DOWN:
            if block == DOWN[0]:
                level = self._layer("stem", level, stride=2)
            else:
                level = self._layer(f"{block}a", _pooled(level))
            level = self._layer(f"{block}b", level)
            levels.append(level)
        levels.pop()
        for block in UP:
            level = np.repeat(np.repeat(level, 2, axis=0), 2, axis=1)
            level = self._layer(block, np.concatenate([level, levels.pop()], axis=-1))
        logits = self._convolved("classes", level)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        coarse = odds / odds.sum(axis=-1, keepdims=True)
        fine = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)
        return np.asarray(fine[:rows, :columns])

    def _layer(
        self, name: str, values: Float32Array, *, stride: int = 1
    ) -> Float32Array:
        return np.maximum(self._convolved(name, values, stride=stride), 0)

    def _convolved(
        self, name: str, values: Float32Array, *, stride: int = 1
    ) -> Float32Array:
        """Return a convolution with zeros around, as Keras pads with "same"."""
        kernel, bias = self.weights[f"{name}_kernel"], self.weights[f"{name}_bias"]
        side = len(kernel)
        rows, columns = (length // stride for length in values.shape[:2])
        # Of an even length, a stride of 2 leaves nothing to pad before the first pixel.
        before = (side - stride) // 2
        after = side - stride - before
        padded = np.pad(values, [(before, after), (before, after), (0, 0)])
        total = np.broadcast_to(bias, (rows * columns, len(bias))).copy()
        for y in range(side):
            for x in range(side):
                part = padded[y : y + rows * stride : stride]
                part = part[:, x : x + columns * stride : stride]
                total += part.reshape(rows * columns, -1) @ kernel[y, x]
        return total.reshape(rows, columns, -1)


def _pooled(values: Float32Array) -> Float32Array:
    """Return the largest values of blocks of 2 by 2 pixels."""
    rows, columns, n_channels = values.shape
    blocks = values.reshape(rows // 2, 2, columns // 2, 2, n_channels)
    return np.asarray(blocks.max(axis=(1, 3)))


def read_network(folder: Path) -> ContaminationNetwork:
    """Return the network of a folder that `write_network` wrote.

    Raises
    ------
    FileNotFoundError
        If there is none.
    FileFormatError
        If its weights are not those of this network.
    """
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    path = folder / WEIGHTS
    with np.load(path) as kept:
        weights = {name: kept[name].astype(np.float32) for name in kept.files}
    expected = {f"{name}_{part}" for name in LAYERS for part in ("kernel", "bias")}
    if set(weights) != expected:
        lacking = sorted(expected ^ set(weights))
        raise FileFormatError(
            path,
            expected="the weights of the network of contaminants",
            received=f"others: {', '.join(lacking)}",
        )
    low, high = card["pixel_sizes_A"]
    return ContaminationNetwork(weights, (low, high), card["threshold"])


def write_network(folder: Path, network: ContaminationNetwork, card: object) -> None:
    """Write a network with half precision, and its card as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    halved = {name: each.astype(np.float16) for name, each in network.weights.items()}
    np.savez_compressed(folder / WEIGHTS, **halved)
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / CARD).write_text(f"{text}\n", encoding="utf-8")

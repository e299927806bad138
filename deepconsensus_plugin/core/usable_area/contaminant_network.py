# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of contaminants: small perceptrons that look at each pixel in turn.

The first one sees the features of a pixel; each other one sees them again, beside what
the one before found around it. `make train-mask` writes the weights; NumPy evaluates
them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import deepconsensus_plugin
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.arrays import opened_arrays
from deepconsensus_plugin.core.io.json_text import parse_json
from deepconsensus_plugin.core.io.text import read_text
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area import (
    contaminant_context,
    contaminant_features,
)
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

Float32Array = NDArray[np.float32]

CLASSES = (AreaKind.USABLE, AreaKind.CARBON, AreaKind.ICE, AreaKind.CONTAMINATION)
"""Kinds in the order of the network's outputs."""

MOST_SPREADS = 6.0
"""Standard deviations from its mean to which a feature is clipped."""

WEIGHTS, CARD = "weights.npz", "card.json"
_EXPECTED = "the weights of the network of contaminants"

_N_LAYERS = 3


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Layers with ReLU between them, and the scale of its input.

    Parameters
    ----------
    mean, spread : array, shape (n,), float32
        Of each feature where it was trained.
    layers : tuple of tuple of array
        Kernel, shape (in, out), and bias, shape (out,), of each layer.
    """

    mean: Float32Array
    spread: Float32Array
    layers: tuple[tuple[Float32Array, Float32Array], ...]

    def probabilities(self, features: Float32Array) -> Float32Array:
        """Return the probability of each class at each pixel.

        Parameters
        ----------
        features : array, shape (rows, columns, n), float32

        Returns
        -------
        array, shape (rows, columns, 4), float32
            In the order of `CLASSES`; they sum to 1.
        """
        flat = features.reshape(-1, features.shape[-1])
        values = (flat - self.mean) / self.spread
        values = np.clip(values, -MOST_SPREADS, MOST_SPREADS)
        *hidden, (kernel, bias) = self.layers
        for inner_kernel, inner_bias in hidden:
            values = np.maximum(values @ inner_kernel + inner_bias, 0)
        logits = values @ kernel + bias
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        found = odds / odds.sum(axis=-1, keepdims=True)
        return np.asarray(found.reshape(*features.shape[:2], -1))


@dataclass(frozen=True, eq=False)
class ContaminantNetwork:
    """Network of contaminants, and the probability from which it is believed.

    Parameters
    ----------
    looks : tuple of Perceptron
        The first one sees `first_look`, others see `look_again`.
    threshold : float
        Probability of contamination from which a pixel is unusable.
    """

    looks: tuple[Perceptron, ...]
    threshold: float

    def probabilities(
        self, first: Float32Array, has_signal: BoolArray, *, pixel_size_A: float
    ) -> Float32Array:
        """Return the probability of each class at each pixel.

        Parameters
        ----------
        first : array, shape (rows, columns, n), float32
            `contaminant_features.first_look`.
        has_signal : array, shape (rows, columns), bool
            Pixels that were recorded, one at least.
        pixel_size_A : float
            Å/px of these arrays.

        Returns
        -------
        array, shape (rows, columns, 4), float32
            In the order of `CLASSES`; they sum to 1.
        """
        found = self.looks[0].probabilities(first)
        for look in self.looks[1:]:
            again = contaminant_context.look_again(
                first, found, has_signal, pixel_size_A=pixel_size_A
            )
            found = look.probabilities(again)
        return found


@lru_cache(maxsize=1)
def shipped_network() -> ContaminantNetwork:
    """Return the network that is part of the package."""
    package = Path(deepconsensus_plugin.__file__).parent
    return read_network(package / "contaminant_network")


def read_network(folder: Path) -> ContaminantNetwork:
    """Return the network of a folder that `write_network` wrote.

    Raises
    ------
    FileNotFoundError
        If there is none.
    FileFormatError
        If its weights or its card are damaged, or those of something else.
    """
    path = folder / WEIGHTS
    with opened_arrays(path, _EXPECTED) as kept:
        weights = {name: kept[name].astype(np.float32) for name in kept.names}
    n_looks = sum(name.endswith("_mean") for name in weights)
    looks = tuple(_perceptron(path, weights, k) for k in range(max(n_looks, 1)))
    return ContaminantNetwork(looks, _threshold(folder / CARD))


def _perceptron(path: Path, weights: Mapping[str, Float32Array], k: int) -> Perceptron:
    names = [f"look{k}_{part}" for part in ("mean", "spread")]
    for layer in range(_N_LAYERS):
        names += [f"look{k}_{layer}_{part}" for part in ("kernel", "bias")]
    if lacking := [name for name in names if name not in weights]:
        raise _unexpected(path, f"a file without {', '.join(lacking)}")
    mean, spread, *rest = (weights[name] for name in names)
    layers = tuple(zip(rest[::2], rest[1::2], strict=True))
    n_features = (contaminant_context if k else contaminant_features).N_FEATURES
    widths = [n_features, *(len(bias) for _, bias in layers[:-1]), len(CLASSES)]
    shapes = [mean.shape, spread.shape, *(kernel.shape for kernel, _ in layers)]
    expected = [(n_features,)] * 2 + list(pairwise(widths))
    if shapes != expected or not all(np.isfinite(weights[n]).all() for n in names):
        raise _unexpected(path, f"weights of shapes {shapes}, or not finite")
    return Perceptron(mean, spread, layers)


def _threshold(path: Path) -> float:
    try:
        threshold = float(parse_json(path, read_text(path))["threshold"])
        if not 0 <= threshold <= 1:
            raise ValueError(f"{threshold:g}, which is no probability")
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            path, expected="a card with a threshold", received=str(error)
        ) from error
    return threshold


def _unexpected(path: Path, received: str) -> FileFormatError:
    return FileFormatError(path, expected=_EXPECTED, received=received)


def write_network(folder: Path, network: ContaminantNetwork, card: object) -> None:
    """Write a network with half precision, and its card as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    weights: dict[str, NDArray[Any]] = {}
    for number, look in enumerate(network.looks):
        weights |= {
            f"look{number}_mean": look.mean,
            f"look{number}_spread": look.spread,
        }
        for layer, (kernel, bias) in enumerate(look.layers):
            weights[f"look{number}_{layer}_kernel"] = kernel.astype(np.float16)
            weights[f"look{number}_{layer}_bias"] = bias
    np.savez_compressed(folder / WEIGHTS, **weights)
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / CARD).write_text(f"{text}\n", encoding="utf-8")

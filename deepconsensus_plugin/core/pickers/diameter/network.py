# SPDX-License-Identifier: GPL-3.0-or-later
"""Network that tells, from the looks of a micrograph, which trial diameter fits.

One small perceptron judges every trial diameter by the looks there and at its
neighbours, with the same weights everywhere; a softmax over all of them, and over
*none*, makes probabilities of what it says. So it knows shapes and no sizes. It was
trained on simulated molecules that were made up at random; `make train-diameter` writes
the weights; NumPy evaluates them.
"""

from __future__ import annotations

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
from deepconsensus_plugin.core.pickers.diameter.looks import N_FEATURES, TRIALS_A
from deepconsensus_plugin.core.types import BoolArray, FloatArray

Float32Array = NDArray[np.float32]

NEIGHBOURS = 2
"""Trial diameters on each side whose looks are seen, too."""

N_INPUTS = (2 * NEIGHBOURS + 1) * (N_FEATURES + 1)
"""Looks of all these, each with whether there are any."""

MOST_SPREADS = 5.0
"""Standard deviations from its mean to which a feature is clipped."""

WEIGHTS = "weights.npz"
_EXPECTED = "the weights of the network of diameters"

Layers = tuple[tuple[Float32Array, Float32Array], ...]


@dataclass(frozen=True, eq=False)
class DiameterNetwork:
    """Perceptrons with ReLU between their layers; their probabilities are averaged.

    Parameters
    ----------
    mean, spread : array, shape (N_FEATURES,), float32
        Of each feature where they were trained.
    members : tuple
        Of each perceptron the kernel, shape (in, out), and bias, shape (out,), of each
        layer; the last has one output.
    none : array, shape (n,), float32
        Log-odds of *none*, of each perceptron.
    """

    mean: Float32Array
    spread: Float32Array
    members: tuple[Layers, ...]
    none: Float32Array

    def probabilities(self, looks: FloatArray) -> FloatArray:
        """Return the probability of each trial diameter, and last that of none.

        Parameters
        ----------
        looks : array, shape (len(TRIALS_A), N_FEATURES)
            `looks.look`.

        Returns
        -------
        array, shape (len(TRIALS_A) + 1,)
            They sum to 1; 0 for what the micrograph cannot show.
        """
        values, is_seen = self.inputs(looks)
        found = []
        for layers, none in zip(self.members, self.none.tolist(), strict=True):
            *hidden, (kernel, bias) = layers
            inner = values
            for inner_kernel, inner_bias in hidden:
                inner = np.maximum(inner @ inner_kernel + inner_bias, 0)
            logits = np.where(is_seen, (inner @ kernel + bias)[:, 0], -np.inf)
            logits = np.append(logits, none)
            odds = np.exp(logits - logits.max())
            found.append(odds / odds.sum())
        return np.asarray(np.mean(found, axis=0))

    def inputs(self, looks: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Return what the perceptron sees at each trial diameter, and where it is."""
        is_seen = ~np.isnan(looks[:, 0])
        scaled = np.clip((looks - self.mean) / self.spread, -MOST_SPREADS, MOST_SPREADS)
        known = np.where(is_seen[:, None], scaled, 0)
        around = np.pad(
            np.column_stack([known, is_seen]), ((NEIGHBOURS, NEIGHBOURS), (0, 0))
        )
        shifts = range(2 * NEIGHBOURS + 1)
        shown = [around[shift : shift + len(TRIALS_A)] for shift in shifts]
        return np.concatenate(shown, axis=1), is_seen


@lru_cache(maxsize=1)
def shipped_network() -> DiameterNetwork:
    """Return the network that is part of the package."""
    package = Path(deepconsensus_plugin.__file__).parent
    return read_network(package / "diameter_network")


def read_network(folder: Path) -> DiameterNetwork:
    """Return the network of a folder that `write_network` wrote.

    Raises
    ------
    FileNotFoundError
        If there is none.
    FileFormatError
        If its weights are damaged, or those of something else.
    """
    path = folder / WEIGHTS
    with opened_arrays(path, _EXPECTED) as kept:
        weights = {name: kept[name].astype(np.float32) for name in kept.names}
        mean, spread, none = (weights[name] for name in ("mean", "spread", "none"))
        members = tuple(_layers(weights, number) for number in range(len(none)))
    are_finite = all(np.isfinite(each).all() for each in weights.values())
    if not members or not are_finite or not all(map(_fits, members)):
        raise _unexpected(path, "weights of other shapes, or not finite")
    return DiameterNetwork(mean, spread, members, none)


def _layers(weights: dict[str, Float32Array], number: int) -> Layers:
    names = [name for name in weights if name.startswith(f"member{number}_")]
    return tuple(
        (
            weights[f"member{number}_{layer}_kernel"],
            weights[f"member{number}_{layer}_bias"],
        )
        for layer in range(len(names) // 2)
    )


def _fits(layers: Layers) -> bool:
    """Return whether layers follow on each other, from the inputs to one number."""
    widths = [N_INPUTS, *(len(bias) for _, bias in layers)]
    shapes = [kernel.shape for kernel, _ in layers]
    return widths[-1] == 1 and shapes == list(pairwise(widths))


def _unexpected(path: Path, received: str) -> FileFormatError:
    return FileFormatError(path, expected=_EXPECTED, received=received)


def write_network(folder: Path, network: DiameterNetwork) -> None:
    """Write a network, its kernels with half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    weights: dict[str, NDArray[Any]] = {
        "mean": network.mean,
        "spread": network.spread,
        "none": network.none,
    }
    for number, layers in enumerate(network.members):
        for layer, (kernel, bias) in enumerate(layers):
            weights[f"member{number}_{layer}_kernel"] = kernel.astype(np.float16)
            weights[f"member{number}_{layer}_bias"] = bias
    np.savez_compressed(folder / WEIGHTS, **weights)

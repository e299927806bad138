# SPDX-License-Identifier: GPL-3.0-or-later
"""Detector: a trained HydraPicker network with one head, on whole micrographs.

Group normalisation uses the mean and deviation of an image, so that the output of a
tile would differ from that of the whole micrograph. Therefore the statistics of a
micrograph are measured first, on crops of the training size. They are then constants,
which are folded into the convolutions:

    a body's pair:  g (w ∗ x) + s          kernel times g, shift s is the bias
    a head's block: w ∗ (g x + s) + b      kernel times g, bias b + Σ w s
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.hydra.heads import Weights
from deepconsensus_plugin.core.pickers.hydra.network import Form, build_body, build_head
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture

Float32Array = NDArray[np.float32]


class HydraDetector:
    """Body and head, fitted to a micrograph and then applied to any part of it.

    Parameters
    ----------
    architecture : HydraArchitecture
        Sizes of the layers.
    body, head : list of arrays
        Weights, which `refresh` replaces.
    """

    def __init__(
        self, architecture: HydraArchitecture, body: Weights, head: Weights
    ) -> None:
        self.architecture = architecture
        self._measured = [
            build_body(architecture, Form.MEASURED),
            build_head(architecture, Form.MEASURED),
        ]
        body_of_tile = build_body(architecture, Form.FOLDED)
        head_of_tile = build_head(architecture, Form.FOLDED)
        self._folded = [body_of_tile, head_of_tile]
        self._whole = keras.Model(body_of_tile.input, head_of_tile(body_of_tile.output))
        self.refresh(body, head)

    def refresh(self, body: Weights, head: Weights) -> None:
        """Replace the weights; a micrograph must be fitted before the next use."""
        for network, weights in zip(self._measured, (body, head), strict=True):
            network.set_weights(weights)

    def fit(self, crops: Float32Array) -> None:
        """Set the statistics to those of a micrograph.

        Parameters
        ----------
        crops : array, shape (n, rows, columns)
            Parts of the micrograph.
        """
        x, affines = crops[..., None], []
        for network in self._measured:
            x, *measured = network.predict_on_batch(x)
            affines.append(list(zip(measured[::2], measured[1::2], strict=True)))
        body, head = (network.get_weights() for network in self._measured)
        self._folded[0].set_weights(folded_body(body, affines[0]))
        self._folded[1].set_weights(folded_head(head, affines[1]))

    def detect(self, pixels: Float32Array) -> Float32Array:
        """Return the head's output at every anchor.

        Parameters
        ----------
        pixels : array, shape (rows, columns)
            The first anchor is `reach` pixels from the first row and column.

        Returns
        -------
        array, shape (n, m, 3)
            dy and dx in steps, and log-odds, at every step inside the reach.
        """
        return np.asarray(self._whole.predict_on_batch(pixels[None, ..., None])[0])


Affine = tuple[Float32Array, Float32Array]
"""Factor and shift of channels, shape (1, channels) each."""


def folded_body(weights: Weights, affines: list[Affine]) -> Weights:
    """Return a body's weights without normalisation; one affine map for each pair."""
    folded: Weights = []
    for i, (factor, shift) in enumerate(affines):
        first, second, _, _ = weights[4 * i : 4 * (i + 1)]
        kernels = [first, second * factor[0]]
        folded += [*(kernels if i else [_stacked(*kernels)]), shift[0]]
    return folded


def _stacked(first: Float32Array, second: Float32Array) -> Float32Array:
    """Return the kernel of two convolutions, one after the other, without padding."""
    side, other = len(first), len(second)
    stacked = np.zeros((side + other - 1,) * 2 + (first.shape[2], second.shape[3]))
    for y, x in np.ndindex(side, side):
        stacked[y : y + other, x : x + other] += np.einsum(
            "ic,yxco->yxio", first[y, x].astype(np.float64), second
        )
    return stacked.astype(np.float32)


def folded_head(weights: Weights, affines: list[Affine]) -> Weights:
    """Return a head's weights without normalisation; one affine map for each block."""
    folded = [*weights[:2]]
    for i, (factor, shift) in enumerate(affines, start=1):
        kernel, bias = weights[4 * i : 4 * i + 2]
        folded += [
            kernel * factor[0][:, None],
            bias + np.einsum("yxio,i->o", kernel, shift[0]),
        ]
    return folded

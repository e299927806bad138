# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognition: the mean over four turns of the box at every place (Zhu et al. 2017).

The paper cuts a box out every 20 pixels, turns it three times, and asks the network
four times. Here four networks with turned kernels pass over the whole micrograph: the
same numbers, since boxes that overlap share most of the work.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from deepconsensus_plugin.core.models.deepem import (
    DeepEMArchitecture,
    build_network,
    turned_weights,
)
from deepconsensus_plugin.core.models.folding import folded_weights
from deepconsensus_plugin.core.pickers.score_map import ScoreMap, score_in_tiles

Float32Array = NDArray[np.float32]

_TILE = 512
"""Side of what is scored at once, pixels: bounds the memory."""


class Recogniser:
    """Scores every place of a grid over an image.

    The score is the probability that a box there holds a particle. The box of a place
    ``c`` is that of `core.extraction`: it begins at ``c - box_size // 2``.

    Parameters
    ----------
    network : keras.Model
        For boxes, trained.
    architecture : DeepEMArchitecture
        Of `network`.
    step : int
        Pixels between the places; what fits the subsampling (1, 2, 4 or 8).
    quarter_turns : sequence of int
        Of the boxes whose scores are averaged; the paper's four by default.
    """

    def __init__(
        self,
        network: keras.Model,
        architecture: DeepEMArchitecture,
        *,
        step: int,
        quarter_turns: Sequence[int] = (0, 1, 2, 3),
    ) -> None:
        self.architecture, self.step = architecture, step
        weights = folded_weights(network)
        image = keras.Input((None, None, 1), name="image")
        scores = []
        for turn in quarter_turns:
            turned = build_network(architecture, map_step=step, folded=True)
            turned.set_weights(turned_weights(weights, turn))
            turned.name = f"turn_{turn}"
            scores.append(turned(image))
        mean = layers.Average()(scores) if len(scores) > 1 else scores[0]
        self._network = keras.Model(image, mean, name="recogniser")

    def score(self, image: Float32Array) -> ScoreMap:
        """Return the scores of an image.

        Parameters
        ----------
        image : array, shape (rows, columns), float32
            A prepared micrograph; what lies outside counts as 0.
        """
        reach = self.architecture.box_size // 2
        tile = max(_TILE // self.step, 1) * self.step
        return score_in_tiles(
            self._score_tile, image, reach=reach, step=self.step, tile=tile
        )

    def _score_tile(self, pixels: Float32Array) -> Float32Array:
        """Return the scores of places a box inside; a box of even side reaches less."""
        reach = self.architecture.box_size // 2
        rows, columns = (-(-(n - 2 * reach) // self.step) for n in pixels.shape)
        scores = self._network.predict_on_batch(pixels[None, :, :, None])
        return np.asarray(scores[0, :rows, :columns, 0])

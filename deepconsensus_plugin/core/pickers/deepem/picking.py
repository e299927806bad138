# SPDX-License-Identifier: GPL-3.0-or-later
"""Picking with a trained DeepEM network (recognition in Zhu et al. 2017).

The paper extracts a box every 20 pixels and scores it in four rotations. Here the same
scores are computed for the whole micrograph at once.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture
from deepconsensus_plugin.core.pickers.deepem.card import DeepEMCard
from deepconsensus_plugin.core.pickers.deepem.network import build_network
from deepconsensus_plugin.core.pickers.deepem.parameters import DeviationRange
from deepconsensus_plugin.core.pickers.deepem.recogniser import (
    build_recogniser,
    give_weights,
)
from deepconsensus_plugin.core.pickers.deepem.selection import (
    are_within,
    box_deviations,
)
from deepconsensus_plugin.core.pickers.maps.score_map import ScoreMap, score_in_tiles
from deepconsensus_plugin.core.pickers.trained.prepared import (
    MicrographPreprocessing,
    PreparedMicrograph,
    prepare_for_network,
)
from deepconsensus_plugin.core.pickers.trained.store import with_stored_weights
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

Float32Array = NDArray[np.float32]

MAP_STEP = 2
"""Pixels between scored places: 1/18 of the default box. The paper's 20 pixels are 1/14
of its largest box."""

_LOWEST = np.float32(1e-6)
"""Probabilities are clipped to this distance from 0 and 1."""

_TILE = 512
"""Side of a tile, pixels."""


class DeepEMPicker:
    """Picker that finds the maxima of a network's log-odds; a `TrainedPicker`.

    As in `core.extraction`, the first pixel of the box of a place ``c`` is ``c -
    box_size // 2``.

    Parameters
    ----------
    network : keras.Model
        Network for boxes, as trained; its training may continue, see `refresh`.
    architecture : DeepEMArchitecture
        Architecture of `network`.
    preprocessing : MicrographPreprocessing
        Preprocessing of micrographs.
    particle_diameter_A : float
        Longest diameter, Å; of two maxima within half of it the better one is kept.
    deviations : DeviationRange, optional
        Range outside which maxima are rejected. Default: none is rejected.
    map_step : int
        Pixels between the places that are scored; what fits the subsampling (1, 2, 4
        or 8).
    """

    def __init__(
        self,
        network: keras.Model,
        architecture: DeepEMArchitecture,
        preprocessing: MicrographPreprocessing,
        *,
        particle_diameter_A: float,
        deviations: DeviationRange | None = None,
        map_step: int = MAP_STEP,
    ) -> None:
        self.deviations = deviations
        self._preprocessing = preprocessing
        self._box_size, self._step = architecture.box_size, map_step
        self._radius_px = particle_diameter_A / 2 / preprocessing.pixel_size_A
        self._recogniser = build_recogniser(architecture, map_step=map_step)
        self.refresh(network)

    @classmethod
    def of(cls, network: keras.Model, card: DeepEMCard) -> DeepEMPicker:
        """Return the picker of a model."""
        return cls(
            network,
            card.architecture,
            card.preprocessing,
            particle_diameter_A=card.particle_diameter_A,
            deviations=card.deviations,
        )

    def refresh(self, network: keras.Model) -> None:
        """Set the weights to those of a network for boxes."""
        give_weights(self._recogniser, network)

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of what the network sees, Å."""
        return self._preprocessing.pixel_size_A

    def prepare(self, micrograph: Micrograph) -> PreparedMicrograph:
        """Read a micrograph and return it prepared as network input."""
        return prepare_for_network(micrograph, self._preprocessing)

    def find(self, prepared: PreparedMicrograph) -> ScoredCoordinates:
        """Return the maxima, best first; log-odds, pixels of the micrograph."""
        found = self.score(prepared.image).maxima(radius_px=self._radius_px)
        if self.deviations is not None:
            deviations = box_deviations(prepared.image, found.yx, self._box_size)
            found = found.take(are_within(deviations, self.deviations))
        return ScoredCoordinates(prepared.grid.to_micrograph(found.yx), found.scores)

    def score_some(self, prepared: PreparedMicrograph) -> FloatArray:
        """Return the log-odds of all places that are scored."""
        return self.score(prepared.image).values.ravel()

    def score(self, image: Float32Array) -> ScoreMap:
        """Return the log-odds of a prepared image; what lies outside counts as 0."""
        tile = max(_TILE // self._step, 1) * self._step
        return score_in_tiles(
            self._log_odds,
            image,
            reach=self._box_size // 2,
            step=self._step,
            tile=tile,
        )

    def _log_odds(self, pixels: Float32Array) -> Float32Array:
        """Return the scores of places a box inside; a box of even side reaches less."""
        around = 2 * (self._box_size // 2)
        rows, columns = (-(-(n - around) // self._step) for n in pixels.shape)
        means = self._recogniser.predict_on_batch(pixels[None, :, :, None])
        probability = np.clip(means[0, :rows, :columns, 0], _LOWEST, 1 - _LOWEST)
        return np.asarray(np.log(probability) - np.log1p(-probability))


def load(folder: Path, card: DeepEMCard, options: None) -> DeepEMPicker:
    """Return the picker of a model folder; DeepEM offers no options."""
    return DeepEMPicker.of(load_network(folder, card), card)


def load_network(folder: Path, card: DeepEMCard) -> keras.Model:
    """Return the network for boxes of a model folder."""
    network = build_network(card.architecture, variant=card.training.variant)
    return with_stored_weights(network, folder, card)

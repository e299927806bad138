# SPDX-License-Identifier: GPL-3.0-or-later
"""Picking with a trained Topaz network, slid over micrographs."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.networks.folding import folded_weights
from deepconsensus_plugin.core.pickers.maps.score_map import ScoreMap, score_in_tiles
from deepconsensus_plugin.core.pickers.topaz.architecture import (
    architecture_of,
    receptive_field,
)
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.topaz.network import build_network, classifier_of
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.trained.prepared import (
    MicrographPreprocessing,
    PreparedMicrograph,
    prepare_for_network,
)
from deepconsensus_plugin.core.pickers.trained.store import with_stored_weights
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

Float32Array = NDArray[np.float32]

MAP_STEP = 2
"""Pixels between scored places. Scores change little within 2 pixels, and a quarter of
the places takes a quarter of the time (docs/performance.md)."""

_TILE = 512
"""Side of a tile, pixels."""


class TopazPicker:
    """Picker that finds the maxima of a network's log-odds; a `TrainedPicker`.

    Parameters
    ----------
    network : keras.Model
        Network for patches, as trained; its training may continue, see `refresh`.
    parameters : TopazParameters
        Parameters of that training.
    preprocessing : MicrographPreprocessing
        Preprocessing of micrographs.
    particle_diameter_A : float
        Longest diameter, Å; of two maxima within half of it the better one is kept.
    map_step : int
        Pixels between the places that are scored: 1, 2, 4, … up to the strides.
    """

    def __init__(
        self,
        network: keras.Model,
        parameters: TopazParameters,
        preprocessing: MicrographPreprocessing,
        *,
        particle_diameter_A: float,
        map_step: int = MAP_STEP,
    ) -> None:
        self._preprocessing = preprocessing
        architecture = architecture_of(parameters)
        self._step = map_step
        self._reach = receptive_field(architecture) // 2
        self._radius_px = particle_diameter_A / 2 / preprocessing.pixel_size_A
        self._dense = build_network(architecture, map_step=map_step, folded=True)
        self.refresh(network)

    @classmethod
    def of(cls, network: keras.Model, card: TopazCard) -> TopazPicker:
        """Return the picker of a model."""
        return cls(
            network,
            card.training,
            card.preprocessing,
            particle_diameter_A=card.particle_diameter_A,
        )

    def refresh(self, network: keras.Model) -> None:
        """Set the weights to those of a network for patches."""
        self._dense.set_weights(folded_weights(classifier_of(network)))

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of what the network sees, Å."""
        return self._preprocessing.pixel_size_A

    def prepare(self, micrograph: Micrograph) -> PreparedMicrograph:
        """Read a micrograph and return it prepared as network input."""
        return prepare_for_network(micrograph, self._preprocessing)

    def find(self, prepared: PreparedMicrograph) -> ScoredCoordinates:
        """Return every maximum, best first; log-odds, pixels of the micrograph."""
        found = self.score(prepared).maxima(radius_px=self._radius_px)
        return ScoredCoordinates(prepared.grid.to_micrograph(found.yx), found.scores)

    def score_some(self, prepared: PreparedMicrograph) -> FloatArray:
        """Return the log-odds of all places that are scored."""
        return self.score(prepared).values.ravel()

    def score(self, prepared: PreparedMicrograph) -> ScoreMap:
        """Return the log-odds at every `map_step`-th pixel of the prepared image."""
        return score_in_tiles(
            self._log_odds,
            prepared.image,
            reach=self._reach,
            step=self._step,
            tile=_TILE,
        )

    def _log_odds(self, pixels: Float32Array) -> Float32Array:
        output = self._dense.predict_on_batch(pixels[None, ..., None])
        return np.asarray(output[0, ..., 0])


def load(folder: Path, card: TopazCard, options: None) -> TopazPicker:
    """Return the picker of a model folder; Topaz offers no options."""
    return TopazPicker.of(load_network(folder, card), card)


def load_network(folder: Path, card: TopazCard) -> keras.Model:
    """Return the network for patches of a model folder."""
    network = build_network(architecture_of(card.training))
    return with_stored_weights(network, folder, card)

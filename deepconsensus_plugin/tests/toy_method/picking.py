# SPDX-License-Identifier: GPL-3.0-or-later
"""Picking with the toy method: peaks of the correlation with the template."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from deepconsensus_plugin.core.pickers.maps.peaks import find_peaks
from deepconsensus_plugin.core.pickers.trained.prepared import (
    MicrographPreprocessing,
    PreparedMicrograph,
    prepare_for_network,
)
from deepconsensus_plugin.core.pickers.trained.store import with_stored_weights
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.tests.toy_method.card import ToyCard


class ToyPicker:
    """Picker that finds peaks of a filter."""

    def __init__(
        self, network: keras.Model, preprocessing: MicrographPreprocessing, side: int
    ) -> None:
        self._network, self._preprocessing, self._side = network, preprocessing, side

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of what the filter sees, Å."""
        return self._preprocessing.pixel_size_A

    def prepare(self, micrograph: Micrograph) -> PreparedMicrograph:
        """Read a micrograph, and return it as the filter sees it."""
        return prepare_for_network(micrograph, self._preprocessing)

    def score_some(self, prepared: PreparedMicrograph) -> np.ndarray:
        """Return the scores of all peaks."""
        return self.find(prepared).scores

    def find(self, prepared: PreparedMicrograph) -> ScoredCoordinates:
        """Return all peaks, best first."""
        image = prepared.image[None, ..., None]
        scores = np.asarray(self._network(image))[0, ..., 0].astype(np.float64)
        found = find_peaks(
            scores, np.ones(scores.shape, bool), radius_px=self._side / 2
        )
        return ScoredCoordinates(prepared.grid.to_micrograph(found.yx), found.scores)


def build_filter(side: int) -> keras.Model:
    """Return a network that correlates an image of any size with a square."""
    image = keras.Input((None, None, 1))
    convolution = keras.layers.Conv2D(1, side, padding="same", use_bias=False)
    return keras.Model(image, convolution(image))


def load(folder: Path, card: ToyCard, options: None) -> ToyPicker:
    """Return the picker of a model folder."""
    network = with_stored_weights(build_filter(card.training.side_px), folder, card)
    return ToyPicker(network, card.preprocessing, card.training.side_px)

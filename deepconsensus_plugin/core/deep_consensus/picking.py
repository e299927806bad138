# SPDX-License-Identifier: GPL-3.0-or-later
"""Picking with the network of Deep Consensus, slid over whole micrographs.

Each box is normalised by its own background, so the scores are not a convolution of the
micrograph. Boxes on a coarse grid are scored first; each maximum is then refined by
hill climbing, with steps that halve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from deepconsensus_plugin.core.boxes import cut_boxes
from deepconsensus_plugin.core.consensus.suppression import suppress_overlaps
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.scoring import (
    fitting_batch,
    in_batches,
    predict,
)
from deepconsensus_plugin.core.deep_consensus.store import load_scorers
from deepconsensus_plugin.core.pickers.maps.score_map import ScoreMap
from deepconsensus_plugin.core.preprocessing import prepare_boxes
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

_GRID_STEP = 0.25
"""Step of the coarse grid, in boxes: within half of it, a particle still raises the
score."""

_DISTANCE = 0.4
"""Minimum distance of two maxima, in boxes; the better one is kept."""

_ROUNDS = 2
"""Number of halvings of the step in hill climbing."""

_PROMISING = -3.0
"""Lowest log-odds of a maximum of the grid that is refined."""

_LOWEST = 1e-6
"""Probabilities are clipped to this distance from 0 and 1."""

_AROUND = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])

Score = Callable[[FloatArray], FloatArray]


class EnsemblePicker:
    """Picker that finds the maxima of an ensemble's log-odds; a `TrainedPicker`.

    Parameters
    ----------
    networks : sequence of keras.Model
        For scoring (`core.deep_consensus.store.load_scorers`). The first one
        scores the grid, all of them what is found there.
    card : EnsembleCard
        Card of the model.
    """

    def __init__(self, networks: Sequence[keras.Model], card: EnsembleCard) -> None:
        self._networks, self._card = networks, card
        self._batch = fitting_batch(networks, card.preprocessing.input_size)

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of the boxes that the networks see, Å."""
        return self._card.box_extent_A / self._card.preprocessing.input_size

    def prepare(self, micrograph: Micrograph) -> Micrograph:
        """Return the micrograph: boxes are cut where they are needed."""
        return micrograph

    def score_some(self, prepared: Micrograph) -> FloatArray:
        """Return the log-odds of the box in the middle."""
        middle = np.array([prepared.shape]) / 2
        return self._scorer(prepared, self._box_px(prepared), self._networks)(middle)

    def _box_px(self, micrograph: Micrograph) -> int:
        return round(self._card.box_extent_A / micrograph.sampling_rate)

    def find(self, prepared: Micrograph) -> ScoredCoordinates:
        """Return every maximum, best first; log-odds, pixels of the micrograph."""
        box = self._box_px(prepared)
        step = max(1, round(_GRID_STEP * box))
        rows, columns = (
            np.arange(step // 2, length, step) for length in prepared.shape
        )
        grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        coarse = self._scorer(prepared, box, self._networks[:1])
        values = coarse(grid.reshape(-1, 2)).reshape(len(rows), len(columns))
        maxima = ScoreMap(values.astype(np.float32), step).maxima(
            radius_px=_DISTANCE * box
        )
        promising = maxima.yx[maxima.scores >= _PROMISING] + step // 2
        places = hill_climb(coarse, promising, step=step / 2, rounds=_ROUNDS)
        scores = self._scorer(prepared, box, self._networks)(places)
        found = ScoredCoordinates(places, scores)
        return suppress_overlaps(found, radius_px=_DISTANCE * box)

    def _scorer(
        self, micrograph: Micrograph, box: int, networks: Sequence[keras.Model]
    ) -> Score:
        """Return a function from places to log-odds of their boxes."""
        preprocessing = self._card.preprocessing

        def score(yx: FloatArray) -> FloatArray:
            boxes = cut_boxes(micrograph, yx, box, phase_flip=preprocessing.phase_flip)
            prepared = (prepare_boxes(some, preprocessing) for some in boxes)
            means = [
                predict(networks, batch, batch_size=self._batch).mean(axis=1)
                for batch in in_batches(prepared, self._batch)
            ]
            probability = np.clip(np.concatenate([[], *means]), _LOWEST, 1 - _LOWEST)
            return np.asarray(np.log(probability) - np.log1p(-probability))

        return score


def hill_climb(score: Score, yx: FloatArray, *, step: float, rounds: int) -> FloatArray:
    """Return the places that hill climbing reaches, one step per round, shape (n, 2).

    Parameters
    ----------
    score : callable
        From places, shape (n, 2), to scores, shape (n,).
    yx : array, shape (n, 2)
        Starting places.
    step : float
        The first one, along either axis; pixels, > 0.
    rounds : int
        Steps, each half of the one before.
    """
    places, best = np.array(yx, dtype=np.float64), score(yx)
    for number in range(rounds):
        around = places[:, None] + _AROUND * (step / 2**number)
        tried = score(around.reshape(-1, 2)).reshape(len(places), len(_AROUND))
        chosen = np.arange(len(places)), tried.argmax(axis=1)
        is_higher = tried[chosen] > best
        places = np.where(is_higher[:, None], around[chosen], places)
        best = np.where(is_higher, tried[chosen], best)
    return places


def load(folder: Path, card: EnsembleCard, options: None) -> EnsemblePicker:
    """Return the picker of a model folder; an ensemble offers no options."""
    return EnsemblePicker(load_scorers(folder), card)

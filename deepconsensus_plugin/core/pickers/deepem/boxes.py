# SPDX-License-Identifier: GPL-3.0-or-later
"""Training boxes of DeepEM: labelled ones, random background and false positives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.metrics.matching import match_best_first
from deepconsensus_plugin.core.negatives.drawing import draw_random_negatives
from deepconsensus_plugin.core.pickers.deepem.examples import (
    BoxExamples,
    extract_zero_padded,
)
from deepconsensus_plugin.core.pickers.deepem.parameters import DeepEMParameters
from deepconsensus_plugin.core.pickers.trained.data import MATCH_RADIUS, LearningData
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

Float32Array = NDArray[np.float32]

_EXCLUSION = 0.5
"""Minimum distance of background from a particle, in boxes."""


@dataclass(frozen=True, eq=False)
class DeepEMBoxes:
    """Source of boxes, cut out of prepared micrographs.

    Parameters
    ----------
    data : LearningData
        Micrographs and labels.
    parameters : DeepEMParameters
        Size and number of the boxes.
    """

    data: LearningData
    parameters: DeepEMParameters

    def labelled(self, names: Sequence[str], *, stream: int) -> BoxExamples:
        """Return labelled particles and background, which is random where unlabelled.

        Parameters
        ----------
        names : sequence of str
            Micrographs.
        stream : int
            Tells sources of chance apart.
        """
        rng = np.random.default_rng([self.parameters.seed, stream])
        labels = {name: self.data.labels[name].yx for name in names}
        n_others = sum(map(len, labels.values())) * (
            self.parameters.negatives_per_positive
        )
        background = self._background(names, round(n_others), rng)
        for name in names:
            known = self.data.negatives.get(name)
            if known is not None:
                background[name] = np.concatenate([background[name], known.yx])
        return BoxExamples(self.cut(labels, rng), self.cut(background, rng))

    def found(
        self, found: Mapping[str, ScoredCoordinates], *, stream: int
    ) -> tuple[Float32Array, Float32Array]:
        """Return boxes of true and of false positives at their picked positions.

        Parameters
        ----------
        found : mapping of micrograph name to ScoredCoordinates
            Picks of the picker.
        stream : int
            Tells sources of chance apart.
        """
        rng = np.random.default_rng([self.parameters.seed, stream])
        radius = MATCH_RADIUS * self.data.asked.box_size
        true, false = {}, {}
        for name, picks in found.items():
            is_match = match_best_first(
                picks.yx, picks.scores, self.data.labels[name].yx, radius
            )
            true[name], false[name] = picks.yx[is_match], picks.yx[~is_match]
        return self.cut(true, rng), self.cut(false, rng)

    def cut(
        self, centres: Mapping[str, FloatArray], rng: np.random.Generator
    ) -> Float32Array:
        """Return boxes of all micrographs, at most `n_most`, shape (n, side, side)."""
        names = [name for name, yx in centres.items() for _ in yx]
        most = self.parameters.max_boxes
        chosen = np.zeros(len(names), dtype=bool)
        chosen[rng.permutation(len(names))[:most]] = True
        side, first, boxes = self.parameters.input_size, 0, []
        for name, yx in centres.items():
            here = yx[chosen[first : first + len(yx)]]
            first += len(yx)
            prepared = self.data.prepared[name]
            boxes.append(
                extract_zero_padded(
                    prepared.image, prepared.grid.from_micrograph(here), side
                )
            )
        return np.concatenate([np.empty((0, side, side), np.float32), *boxes])

    def _background(
        self, names: Sequence[str], number: int, rng: np.random.Generator
    ) -> dict[str, FloatArray]:
        box_size, chosen = self.data.asked.box_size, set(names)
        drawn = draw_random_negatives(
            [each for each in self.data.micrographs if each.name in chosen],
            self.data.labels,
            number,
            box_size=box_size,
            exclusion_radius_px=_EXCLUSION * box_size,
            rng=rng,
        )
        return {name: each.yx for name, each in drawn.items()}

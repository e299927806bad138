# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scene that runs are disturbed on: discs on noise, two pickers that err."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mrcfile
import numpy as np

from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import (
    ScoringParameters,
    StackOptions,
)
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates
from deepconsensus_plugin.core.workflow import DeepConsensusOptions

BOX, SHAPE, RATE = 20, (160, 240), 4.0
N_MICROGRAPHS, N_PARTICLES, N_FALSE = 4, 15, 3
PICKERS = ("first", "second")
STACKS = "stacks"


@dataclass(frozen=True)
class Scene:
    """Input files of a run, in a folder."""

    folder: Path

    def micrograph(self, number: int) -> Path:
        """Return the path of a micrograph."""
        return self.folder / f"mic_{number}.mrc"

    def picks(self, picker: str) -> Path:
        """Return the file of a picker."""
        return self.folder / f"{picker}.h5"

    def read(self) -> tuple[tuple[Micrograph, ...], list[PickerPicks]]:
        """Return the input as a run reads it."""
        micrographs = tuple(
            Micrograph(path.name, path, SHAPE, RATE)
            for path in map(self.micrograph, range(N_MICROGRAPHS))
        )
        pickers = [
            PickerPicks(name, BOX, read_coordinates(self.picks(name)))
            for name in PICKERS
        ]
        return micrographs, pickers


def options_in(folder: Path) -> DeepConsensusOptions:
    """Return the options of a run whose files are in a folder."""
    return DeepConsensusOptions(
        training=TrainingParameters(n_epochs=3, batch_size=16, n_models=2),
        preprocessing=BoxPreprocessing(input_size=16),
        negatives=NegativesParameters(exclusion_radius=0.4),
        scoring=ScoringParameters(stacks=StackOptions(folder / STACKS)),
    )


def make_scene(folder: Path, *, seed: int = 0) -> Scene:
    """Write a scene; the same seed gives the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    scene, rng = Scene(folder), np.random.default_rng(seed)
    axes = np.arange(20, SHAPE[0] - 10, 30), np.arange(20, SHAPE[1] - 10, 30)
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2).astype(float)
    rows, columns = np.indices(SHAPE)
    found: dict[str, dict[str, ScoredCoordinates]] = {name: {} for name in PICKERS}
    for number in range(N_MICROGRAPHS):
        image, order = rng.normal(size=SHAPE), rng.permutation(len(grid))
        for y, x in grid[order[:N_PARTICLES]]:
            image[np.hypot(rows - y, columns - x) < 6] -= 2
        path = scene.micrograph(number)
        with mrcfile.new(path, overwrite=True) as file:
            file.set_data(image.astype(np.float32))
        for i, picks in enumerate(found.values()):
            first = N_PARTICLES + N_FALSE * i
            places = [order[: N_PARTICLES - 1], order[first : first + N_FALSE]]
            yx = grid[np.concatenate(places)]
            yx = yx + rng.normal(0, 0.3, yx.shape)
            scores = rng.uniform(size=len(yx))
            picks[path.name] = ScoredCoordinates.from_arrays(yx, scores)
    for name, picks in found.items():
        write_coordinates(scene.picks(name), picks)
    return scene

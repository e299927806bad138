# SPDX-License-Identifier: GPL-3.0-or-later
"""Who picks a set: pickers that need no training here, and HydraPickers that do.

Every picker finds all that it can, whatever the score, given micrographs and the
particle's diameter. What folders hold of an earlier run is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.hydra_corpus import CorpusSet
from benchmarks.topaz_peer import pick_pretrained
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.pickers.classical import PickMethod, PickParameters
from deepconsensus_plugin.core.pipeline import pick
from deepconsensus_plugin.core.pipeline.pick import PickRequest
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

Picks = dict[str, ScoredCoordinates]
Picker = Callable[[Sequence[Micrograph], float, Path], Picks]
"""From micrographs, the particle's diameter in Å, and a folder to keep things in."""

SetPicker = Callable[[CorpusSet, Path], Picks]
"""From a set of the corpus, whose test micrographs are picked, and a folder."""


def pick_peaks(
    micrographs: Sequence[Micrograph],
    diameter_A: float,
    folder: Path,
    *,
    method: PickMethod,
) -> Picks:
    """Return all peaks of a picker without training."""
    request = PickRequest(
        tuple(micrographs),
        PickParameters(diameter_A, method),
        folder / "peaks",
        folder / "picks.h5",
        threshold=-np.inf,
    )
    return read_coordinates(pick.run(request, Progress()).coordinates)


def pick_with_topaz(
    micrographs: Sequence[Micrograph], diameter_A: float, folder: Path, *, model: str
) -> Picks:
    """Return what a detector that topaz-em ships finds."""
    return pick_pretrained(micrographs, diameter_A, folder, model=model).picks


CLASSICAL: dict[str, Picker] = {
    "Gaussians": partial(pick_peaks, method=PickMethod.GAUSSIANS),
    "correlation": partial(pick_peaks, method=PickMethod.CORRELATION),
}
PEERS: dict[str, Picker] = {
    f"topaz-em {model}": partial(pick_with_topaz, model=model)
    for model in ("resnet16_u64", "resnet8_u64")
}
"""Its default, and its other kind of network; both are trained on many real sets."""


def on_test(picker: Picker) -> SetPicker:
    """Return a picker of the test micrographs of a set."""
    return lambda found, folder: picker(found.test, found.diameter_A, folder)

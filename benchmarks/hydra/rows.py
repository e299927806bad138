# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickers of the tables: some without training here, and HydraPickers.

Every picker finds all that it can, whatever the score, given micrographs and the
particle's diameter. What folders hold of an earlier run is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.hydra.corpus import CorpusSet
from benchmarks.hydra.general import learning_input
from benchmarks.topaz.peer import pick_pretrained
from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.hydra import train as train_hydra
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL, HydraParameters
from deepconsensus_plugin.core.pickers.hydra.request import HydraTrainRequest
from deepconsensus_plugin.core.pipeline import network_pick, pick
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.pipeline.pick import PickRequest
from deepconsensus_plugin.core.serialisation import read_json, to_plain, write_json
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


def pick_with_hydra(
    micrographs: Sequence[Micrograph],
    diameter_A: float,
    folder: Path,
    *,
    model: Path,
    head: str = GENERAL,
) -> Picks:
    """Return what a head of a HydraPicker finds."""
    request = hydra_request(micrographs, diameter_A, folder, model=model, head=head)
    return dict(network_pick.find_all(request, Progress()))


def hydra_request(
    micrographs: Sequence[Micrograph],
    diameter_A: float,
    folder: Path,
    *,
    model: Path,
    head: str = GENERAL,
) -> NetworkPickRequest:
    """Return what asks for a head's picks; `folder` keeps all that is found."""
    return NetworkPickRequest(
        tuple(micrographs),
        model,
        folder / "found",
        folder / "picks.h5",
        options=HydraPickOptions(head, diameter_A),
    )


CLASSICAL: dict[str, Picker] = {
    "Gaussians": partial(pick_peaks, method=PickMethod.GAUSSIANS),
    "correlation": partial(pick_peaks, method=PickMethod.CORRELATION),
}
PEER_MODELS = ("resnet16_u64", "resnet8_u64", "resnet16_u32", "resnet8_u32")
"""Detectors that topaz-em ships, its default first; trained on many real sets."""


def peers(models: Sequence[str]) -> dict[str, Picker]:
    """Return pickers with detectors of topaz-em.

    Raises
    ------
    ValueError
        If it ships no such detector.
    """
    if unknown := sorted({*models} - {*PEER_MODELS}):
        raise ValueError(f"expected some of {list(PEER_MODELS)}, received {unknown}")
    return {
        f"topaz-em {model}": partial(pick_with_topaz, model=model) for model in models
    }


def on_test(picker: Picker) -> SetPicker:
    """Return a picker of the test micrographs of a set."""
    return lambda found, folder: picker(found.test, found.diameter_A, folder)


def with_own_head(model: Path) -> SetPicker:
    """Return a picker of sets with the heads that a model has for them."""
    return lambda found, folder: pick_with_hydra(
        found.test, found.diameter_A, folder, model=model, head=found.name
    )


def when_trained(parameters: HydraParameters, base: Path | None = None) -> SetPicker:
    """Return a picker that first learns on the set: from nothing, or with few (`base`).

    Parameters
    ----------
    parameters : HydraParameters
        How to train.
    base : Path, optional
        A general model, whose body and general head are kept.
    """

    def pick_set(found: CorpusSet, folder: Path) -> Picks:
        model = train_on(found, folder, parameters, base)
        head = GENERAL if base is None else found.name
        return pick_with_hydra(
            found.test, found.diameter_A, folder, model=model, head=head
        )

    return pick_set


def train_on(
    found: CorpusSet, folder: Path, parameters: HydraParameters, base: Path | None
) -> Path:
    """Return the folder of a model trained on one set; a finished one is kept."""
    asked = learning_input(found, folder)
    files = [digest_file(each.path) for each in asked.micrographs]
    if base is not None:
        files += [digest_file(base / name) for name in (CARD_FILE, WEIGHTS_FILE)]
    origin = digest(to_plain(parameters), files)
    done, model = folder / "trained.json", folder / "model"
    if not done.exists() or read_json(done)["origin"] != origin:
        request = HydraTrainRequest((asked,), parameters, model, base)
        train_hydra.run(request, Progress())
        write_json(done, {"origin": origin})
    return model

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of model as a picker: from a micrograph to scored coordinates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from deepconsensus_plugin.core.deep_consensus.card import DEEP_CONSENSUS, EnsembleCard
from deepconsensus_plugin.core.deep_consensus.picking import EnsemblePicker
from deepconsensus_plugin.core.deep_consensus.store import load_scorers
from deepconsensus_plugin.core.methods import load_card, load_card_of
from deepconsensus_plugin.core.pickers.deepem.card import DeepEMCard
from deepconsensus_plugin.core.pickers.deepem.picking import DeepEMPicker
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.picking import HydraPicker
from deepconsensus_plugin.core.pickers.hydra.store import load_hydra
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.topaz.picking import TopazPicker
from deepconsensus_plugin.core.pickers.trained.card import DEEPEM, HYDRA, TOPAZ
from deepconsensus_plugin.core.pickers.trained.store import load_picker_network
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


class TrainedPicker(Protocol):
    """What picking with a network needs of a method."""

    def prepare(self, micrograph: Micrograph) -> Any:
        """Read a micrograph, in any thread; what `find` takes."""

    def find(self, prepared: Any) -> ScoredCoordinates:
        """Return every place that may be a particle, one a particle, best first.

        Scores are log-odds, positions pixels of the micrograph.
        """


_AS_TRAINED = HydraPickOptions()


def load_picker(folder: Path, choices: HydraPickOptions = _AS_TRAINED) -> TrainedPicker:
    """Return the picker of a model folder, of whatever kind.

    Parameters
    ----------
    folder : Path
        Of the model.
    choices : HydraPickOptions
        How a HydraPicker is to look at micrographs; others have no choice.

    Raises
    ------
    ModelFormatError
        If the folder holds no complete model, or one that is not known.
    IncompatibleModelError
        If a HydraPicker has no such head.
    """
    kind = load_card(folder).kind
    return _load_hydra(folder, choices) if kind == HYDRA else _LOADERS[kind](folder)


def _load_topaz(folder: Path) -> TrainedPicker:
    card = load_card_of(folder, TopazCard)
    return TopazPicker.of(load_picker_network(folder), card)


def _load_deepem(folder: Path) -> TrainedPicker:
    card = load_card_of(folder, DeepEMCard)
    return DeepEMPicker.of(load_picker_network(folder), card)


def _load_hydra(folder: Path, choices: HydraPickOptions) -> TrainedPicker:
    card = load_card_of(folder, HydraCard)
    body, heads = load_hydra(folder, card)
    return HydraPicker.of(body, heads, card, choices)


def _load_ensemble(folder: Path) -> TrainedPicker:
    return EnsemblePicker(load_scorers(folder), load_card_of(folder, EnsembleCard))


_LOADERS: dict[str, Callable[[Path], TrainedPicker]] = {
    DEEP_CONSENSUS: _load_ensemble,
    TOPAZ: _load_topaz,
    DEEPEM: _load_deepem,
}

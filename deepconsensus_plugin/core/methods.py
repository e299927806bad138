# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of models that this version knows, and their cards on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from deepconsensus_plugin.core.deep_consensus.card import DEEP_CONSENSUS, EnsembleCard
from deepconsensus_plugin.core.errors import IncompatibleModelError, ModelFormatError
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE, ModelCard
from deepconsensus_plugin.core.pickers.deepem.card import DeepEMCard
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.trained.card import DEEPEM, HYDRA, TOPAZ
from deepconsensus_plugin.core.serialisation import from_plain, read_json

Card = TypeVar("Card", bound=ModelCard)

CARDS: dict[str, type[ModelCard]] = {
    DEEP_CONSENSUS: EnsembleCard,
    TOPAZ: TopazCard,
    DEEPEM: DeepEMCard,
    HYDRA: HydraCard,
}
"""The card of each kind."""

LABELS = {
    DEEP_CONSENSUS: "Deep Consensus network",
    TOPAZ: "Topaz picker",
    DEEPEM: "DeepEM picker",
    HYDRA: "HydraPicker",
}
"""What users call each kind."""


def load_card(folder: Path) -> ModelCard:
    """Return the card of a model folder, of the class of its kind.

    Raises
    ------
    ModelFormatError
        If the folder holds no complete model, or one that this version does not know.
    FileFormatError
        If the card cannot be read.
    """
    for name in (CARD_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise ModelFormatError(
                folder,
                expected=f"a model folder with {CARD_FILE} and {WEIGHTS_FILE}",
                received=f"no {name}",
            )
    path = folder / CARD_FILE
    content = read_json(path)
    kind = content.get("kind")
    if kind not in CARDS:
        raise ModelFormatError(
            path, expected=f"kind to be one of {tuple(CARDS)}", received=repr(kind)
        )
    return from_plain(content, CARDS[kind], path=path)


def load_card_of(folder: Path, card_type: type[Card]) -> Card:
    """Return the card of a model folder that must be of one kind, or of several.

    Parameters
    ----------
    folder : Path
        Of the model.
    card_type : type
        `EnsembleCard`, `PickerCard` or a class of the latter.

    Raises
    ------
    IncompatibleModelError
        If it is of another kind.
    FileFormatError
        As `load_card`.
    """
    card = load_card(folder)
    if not isinstance(card, card_type):
        fitting = " or ".join(
            LABELS[kind] for kind, of in CARDS.items() if issubclass(of, card_type)
        )
        raise IncompatibleModelError(
            f"{folder}: expected a {fitting}, received a {LABELS[card.kind]}"
        )
    return card

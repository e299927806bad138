# SPDX-License-Identifier: GPL-3.0-or-later
"""Model folder of a trained picker: ``model.keras`` and ``card.json``."""

from __future__ import annotations

from pathlib import Path

import keras

from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.networks.finite import check_weights
from deepconsensus_plugin.core.networks.weights import read_weights
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.serialisation import to_plain, write_json


def save_picker(folder: Path, network: keras.Model, card: PickerCard) -> None:
    """Write a network, then its card, whose presence marks a complete model.

    Parameters
    ----------
    folder : Path
        Created if needed; a model there is replaced.
    network : keras.Model
        Network of Keras' own layers, so that it opens without this package.
    card : PickerCard
        Describes it.

    Raises
    ------
    ValueError
        If a weight is not finite; an existing model is kept.
    """
    check_weights(network, name=network.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD_FILE).unlink(missing_ok=True)
    with whole_file(folder / WEIGHTS_FILE) as partial:
        network.save(partial)
    write_json(folder / CARD_FILE, to_plain(card))


def with_stored_weights(
    network: keras.Model, folder: Path, card: PickerCard
) -> keras.Model:
    """Set the weights of a network, built from a card, to those of its folder.

    Raises
    ------
    ModelFormatError
        If the file is damaged, or its weights are not those that the card describes.
    """
    (weights,) = read_weights(folder, card)
    network.set_weights(weights)
    return network

# SPDX-License-Identifier: GPL-3.0-or-later
"""Model folder of an ensemble: ``model.keras`` and ``card.json``.

``model.keras`` is one plain Keras model, which opens without this package: boxes in,
``(batch, n_models, 2)`` out, the probabilities of every network of the ensemble.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from deepconsensus_plugin.core.deep_consensus.architecture import MEMBER, convolutions
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.network import build_network
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.networks.fastest import fastest_forms
from deepconsensus_plugin.core.networks.finite import check_weights
from deepconsensus_plugin.core.networks.folding import fold_stored
from deepconsensus_plugin.core.networks.forms import Forms
from deepconsensus_plugin.core.networks.precision import computing_in
from deepconsensus_plugin.core.networks.weights import Weights, read_weights
from deepconsensus_plugin.core.serialisation import to_plain, write_json

logger = logging.getLogger(__name__)


def save_model(
    folder: Path, networks: Sequence[keras.Model], card: EnsembleCard
) -> None:
    """Write an ensemble, then its card, whose presence marks a complete model.

    Parameters
    ----------
    folder : Path
        Created if needed; a model there is replaced.
    networks : sequence of keras.Model
        As `build_network` makes them, in any form.
    card : EnsembleCard
        Describes them.

    Raises
    ------
    ValueError
        If a weight is not finite; an existing model is kept.
    """
    for number, network in enumerate(networks, start=1):
        check_weights(network, name=f"network {number}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD_FILE).unlink(missing_ok=True)
    with whole_file(folder / WEIGHTS_FILE) as partial:
        _ensemble(networks, card).save(partial)
    write_json(folder / CARD_FILE, to_plain(card))


def load_networks(folder: Path) -> list[keras.Model]:
    """Return the networks of a model folder, plain, with the weights of the training.

    Raises
    ------
    ModelFormatError
        If the folder holds no complete model, or one that is not known.
    IncompatibleModelError
        If it is a picker.
    """
    card = load_card_of(folder, EnsembleCard)
    members = read_weights(folder, card)
    return [_network(card, weights) for weights in members]


def scoring_forms(card: EnsembleCard, *, half_precision: bool = False) -> Forms:
    """Return the fastest forms for scoring on this machine; none in half precision."""
    if half_precision:
        return ()
    shapes = convolutions(card.preprocessing.input_size)
    return fastest_forms(shapes, scoring=True)


def load_scorers(
    folder: Path, *, half_precision: bool = False, forms: Forms | None = None
) -> list[keras.Model]:
    """Return the networks of a model folder for scoring: batch normalisation folded.

    Scores are the same up to rounding; the weights are not those of the training.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    half_precision : bool
        Compute in bfloat16, with plain convolutions, where there are instructions for
        it; the softmax stays in float32.
    forms : tuple of Form, optional
        Form of each convolution, as `scoring_forms` if None.

    Raises
    ------
    ModelFormatError
        If the folder holds no complete model, or one that is not known.
    IncompatibleModelError
        If it is a picker.
    """
    card = load_card_of(folder, EnsembleCard)
    members = [
        fold_stored(network, weights)
        for network, weights in zip(
            card.stored_networks(), read_weights(folder, card), strict=True
        )
    ]
    if forms is None:
        forms = scoring_forms(card, half_precision=half_precision)
    with computing_in(half_precision=half_precision):
        return [_network(card, each, forms=forms, folded=True) for each in members]


def _ensemble(networks: Sequence[keras.Model], card: EnsembleCard) -> keras.Model:
    """Return one plain Keras model of all networks."""
    size = card.preprocessing.input_size
    boxes = keras.Input((size, size, 1), name="box")
    outputs = []
    for i, network in enumerate(networks):
        plain = build_network(input_size=size, l2_strength=card.training.l2_strength)
        plain.set_weights(network.get_weights())
        plain.name = MEMBER.format(number=i + 1)
        outputs.append(layers.Reshape((1, 2))(plain(boxes)))
    merged = layers.Concatenate(axis=1)(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(boxes, merged, name="ensemble")


def _network(
    card: EnsembleCard,
    weights: Weights,
    *,
    forms: Forms = (),
    folded: bool = False,
) -> keras.Model:
    network = build_network(
        input_size=card.preprocessing.input_size,
        l2_strength=card.training.l2_strength,
        forms=forms,
        folded=folded,
    )
    network.set_weights(weights)
    return network

# SPDX-License-Identifier: GPL-3.0-or-later
"""Model folder of a HydraPicker: body and heads in half precision, one Keras network.

The thesis' body and one head take 14 MB. Picks differ from those in single precision by
less than its noise (a test).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.networks.weights import read_weights
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.heads import Weights
from deepconsensus_plugin.core.pickers.hydra.network import (
    Form,
    build_body,
    build_head,
    join,
)
from deepconsensus_plugin.core.pickers.hydra.stored_parts import HEAD
from deepconsensus_plugin.core.pickers.trained.store import save_picker

_STORED = "float16"


def save_hydra(
    folder: Path, body: Weights, heads: Sequence[Weights], card: HydraCard
) -> None:
    """Write a HydraPicker, its card last.

    Parameters
    ----------
    folder : Path
        Created if needed; a model there is replaced.
    body : list of arrays
        Weights.
    heads : sequence of lists of arrays
        Weights of the heads that the card names, the general one first.
    card : HydraCard
        Describes them.

    Raises
    ------
    ValueError
        If a weight is not finite in half precision; an existing model is kept.
    """
    architecture = card.training.architecture
    with _stored_as(_STORED):
        parts = [build_body(architecture, Form.PLAIN)]
        for number in range(len(heads)):
            head = build_head(architecture, Form.PLAIN)
            head.name = HEAD.format(number=number)
            parts.append(head)
        for part, weights in zip(parts, [body, *heads], strict=True):
            part.set_weights(weights)
        save_picker(folder, join(parts[0], parts[1:]), card)


def load_hydra(folder: Path, card: HydraCard) -> tuple[Weights, list[Weights]]:
    """Return the weights of the body, and of the heads that the card names."""
    body, *heads = ([*map(_single, each)] for each in read_weights(folder, card))
    return body, heads


def rounded(weights: Weights) -> Weights:
    """Return weights rounded as by saving.

    Weights beyond half precision become infinite, and saving refuses them.
    """
    with np.errstate(over="ignore"):
        return [_single(each.astype(_STORED)) for each in weights]


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


@contextmanager
def _stored_as(dtype: str) -> Iterator[None]:
    """Build layers whose weights have a type."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

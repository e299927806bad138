# SPDX-License-Identifier: GPL-3.0-or-later
"""Training history, read from the files of a training while it runs.

Importing this does not import Keras.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.io.arrays import ArrayArchive, opened_arrays
from deepconsensus_plugin.core.serialisation import from_plain

STATE = "network_{number}.npz"
"""File of the state of each network, counted from 1, in `states_folder`."""

NUMBERS = "numbers"
"""Entry of that file that holds JSON, with the history of `Checkpoint`."""


def states_folder(model: Path) -> Path:
    """Return where a training keeps its states until it has made the model."""
    return model.with_name(f"{model.name}.partial")


@contextmanager
def opened_state(path: Path) -> Iterator[ArrayArchive]:
    """Yield the state of a training; what is wrong in it is a format error."""
    with opened_arrays(path, "the state of a training") as saved:
        yield saved


def read_numbers(saved: ArrayArchive) -> dict[str, Any]:
    """Return what an open state file holds beside arrays.

    Raises
    ------
    ValueError
        If it is no JSON object.
    """
    # States of generators are whole numbers of more than 64 bits.
    numbers = json.loads(str(saved[NUMBERS]))
    if not isinstance(numbers, dict):
        raise ValueError(f"numbers: a {type(numbers).__name__}")
    return numbers


def parse_history(numbers: dict[str, Any], path: Path) -> list[Checkpoint]:
    """Return the validations in what `read_numbers` gave; errors name `path`."""
    return [from_plain(each, Checkpoint, path=path) for each in numbers["history"]]


def read_histories(model: Path) -> list[list[Checkpoint]]:
    """Return the validations so far of every network that has begun.

    Parameters
    ----------
    model : Path
        Folder that the training will write.

    Returns
    -------
    list of list of Checkpoint
        Empty before the first validation, and once the model is there: then the
        result of the job has them.

    Raises
    ------
    FileFormatError
        If a state cannot be read.
    """
    histories: list[list[Checkpoint]] = []
    while True:
        path = states_folder(model) / STATE.format(number=len(histories) + 1)
        try:
            with opened_state(path) as saved:
                histories.append(parse_history(read_numbers(saved), path))
        except FileNotFoundError:
            return histories


@dataclass(frozen=True)
class Checkpoint:
    """State of the training when it was validated.

    Loss and accuracy are NaN where a picker is validated, which has no boxes with
    labels. `validation_average_precision` is None in histories of the first versions,
    and where it is not defined.
    """

    update: int
    learning_rate: float
    training_loss: float
    validation_loss: float = math.nan
    validation_accuracy: float = math.nan
    validation_average_precision: float | None = None

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training history, read from the files of a training while it runs.

Importing this does not import Keras.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.serialisation import from_plain

STATE = "network_{number}.npz"
"""File of the state of each network, counted from 1, in `states_folder`."""

NUMBERS = "numbers"
"""Entry of that file that holds JSON, with the history of `Checkpoint`."""


def states_folder(model: Path) -> Path:
    """Return where a training keeps its states until it has made the model."""
    return model.with_name(f"{model.name}.partial")


def read_numbers(saved: Any) -> dict[str, Any]:
    """Return what an open state file holds beside arrays."""
    return dict(json.loads(str(saved[NUMBERS])))


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
            with np.load(path) as saved:
                histories.append(parse_history(read_numbers(saved), path))
        except FileNotFoundError:
            return histories
        except (KeyError, ValueError, BadZipFile) as error:
            raise FileFormatError(
                path, expected="the state of a training", received=str(error)
            ) from error


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

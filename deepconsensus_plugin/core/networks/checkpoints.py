# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints: the state of a training on disk, from which a killed one resumes.

One file a network, replaced whole after every validation: weights, optimiser, seeds of
dropout, the generator of batches, and the best so far. A training that resumes from it
ends as one that was never interrupted (same machine, same number of threads).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.networks.history import (
    NUMBERS,
    Checkpoint,
    opened_state,
    parse_history,
    read_numbers,
)
from deepconsensus_plugin.core.serialisation import to_plain


@dataclass(frozen=True, eq=False)
class TrainingState:
    """All that a training needs to go on, beside the variables of its network.

    Parameters
    ----------
    history : list of Checkpoint
        Every validation.
    numbers : dict
        Numbers that JSON can hold.
    arrays : dict of arrays
        By name.
    best_weights : list of arrays
        Weights of the network when it was best.
    """

    history: list[Checkpoint]
    numbers: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    best_weights: list[NDArray[np.float32]]


class Resumable(Protocol):
    """A training whose state can be kept."""

    def variables(self) -> list[Any]:
        """Return the variables of the network and its optimiser."""

    def state(self) -> TrainingState:
        """Return the rest of its state, just after a validation."""

    def resume(self, state: TrainingState) -> None:
        """Put a training that has not begun into a state; its variables are set."""


def save_training(path: Path, training: Resumable, *, made_from: str) -> None:
    """Write the state of a training.

    Parameters
    ----------
    path : Path
        ``.npz`` file; its folder must exist.
    training : Resumable
        Just validated.
    made_from : str
        Identifies data and parameters; only the same can go on from the file.
    """
    state = training.state()
    numbers = {
        "made_from": made_from,
        "history": [to_plain(checkpoint) for checkpoint in state.history],
        **state.numbers,
    }
    variables = [np.asarray(variable) for variable in training.variables()]
    with whole_file(path) as partial:
        np.savez(
            partial,
            **{NUMBERS: np.array(json.dumps(numbers))},
            **state.arrays,
            **{f"variable_{i}": array for i, array in enumerate(variables)},
            **{f"best_{i}": array for i, array in enumerate(state.best_weights)},
        )


def restore_training(path: Path, training: Resumable, *, made_from: str) -> bool:
    """Put a new training into a saved state; whether there was one of the same origin.

    Raises
    ------
    FileFormatError
        If the file is damaged, or of another network.
    """
    if not path.is_file():
        return False
    with opened_state(path) as saved:
        numbers = read_numbers(saved)
        if numbers["made_from"] != made_from:
            return False
        for i, variable in enumerate(training.variables()):
            variable.assign(saved[f"variable_{i}"])
        arrays = {
            name: saved[name]
            for name in saved.names
            if not name.startswith(("variable_", "best_")) and name != NUMBERS
        }
        n_best = sum(name.startswith("best_") for name in saved.names)
        training.resume(
            TrainingState(
                history=parse_history(numbers, path),
                numbers=numbers,
                arrays=arrays,
                best_weights=[saved[f"best_{i}"] for i in range(n_best)],
            )
        )
    return True

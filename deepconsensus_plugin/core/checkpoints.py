# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a training on disk, so that a killed one goes on where it was.

One file a network, replaced whole after every validation: weights, optimiser, seeds of
dropout, order of the boxes still to come, state of the random generator, and the best
so far. A training that goes on from it ends as one that was never interrupted (same
machine, same number of threads).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.histories import NUMBERS, parse_history, read_numbers
from deepconsensus_plugin.core.plateau import Plateau
from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.training import Training


def save_training(path: Path, training: Training, *, made_from: str) -> None:
    """Write the state of a training.

    Parameters
    ----------
    path : Path
        ``.npz`` file; its folder must exist.
    training : Training
        Just validated.
    made_from : str
        Identifies data and parameters; only the same can go on from the file.
    """
    plateau = training.plateau
    best = {f"best_{i}": array for i, array in enumerate(plateau.best_weights)}
    numbers = {
        "made_from": made_from,
        "update": training.update,
        "rng": training.rng.bit_generator.state,
        "history": [to_plain(checkpoint) for checkpoint in plateau.history],
        "best_loss": plateau.best_loss,
        "best_accuracy": plateau.best_accuracy,
        "last_improvement": plateau.last_improvement,
    }
    variables = {
        f"variable_{i}": np.asarray(variable)
        for i, variable in enumerate(training.variables())
    }
    with whole_file(path) as partial:
        np.savez(
            partial,
            **{NUMBERS: np.array(json.dumps(numbers))},
            queue=training.queue,
            best_scores=plateau.best_scores,
            **variables,
            **best,
        )


def restore_training(path: Path, training: Training, *, made_from: str) -> bool:
    """Put a new training into a saved state; whether there was one of the same origin.

    Raises
    ------
    FileFormatError
        If the history in the file cannot be read.
    """
    if not path.is_file():
        return False
    with np.load(path) as saved:
        numbers = read_numbers(saved)
        if numbers["made_from"] != made_from:
            return False
        for i, variable in enumerate(training.variables()):
            variable.assign(saved[f"variable_{i}"])
        training.update = int(numbers["update"])
        training.queue = saved["queue"]
        training.rng.bit_generator.state = numbers["rng"]
        training.plateau = _plateau(saved, numbers, path)
    return True


def _plateau(saved: Any, numbers: dict[str, Any], path: Path) -> Plateau:
    n_best = sum(name.startswith("best_") for name in saved.files) - 1
    return Plateau(
        history=parse_history(numbers, path),
        best_weights=[saved[f"best_{i}"] for i in range(n_best)],
        best_scores=saved["best_scores"],
        best_loss=numbers["best_loss"],
        best_accuracy=numbers["best_accuracy"],
        last_improvement=numbers["last_improvement"],
    )

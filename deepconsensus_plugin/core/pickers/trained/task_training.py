# SPDX-License-Identifier: GPL-3.0-or-later
"""Training job that all pickers share: labels, resuming, and the result."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.networks.checkpoints import (
    restore_training,
    save_training,
)
from deepconsensus_plugin.core.networks.history import STATE, Checkpoint, states_folder
from deepconsensus_plugin.core.pickers.trained.training import (
    PickerTrainer,
    Schedule,
    TrainingTask,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

_FEWEST_HELD_OUT = 10
"""Fewest labels for a validation; with fewer, all are used for training."""


def labelled_micrographs(
    micrographs: Sequence[Micrograph],
    labels: Mapping[str, ScoredCoordinates],
    *,
    n_most: int,
    seed: int,
) -> list[Micrograph]:
    """Return the micrographs with labels, at most `n_most`, drawn at random, in order.

    Raises
    ------
    ValueError
        If there is none.
    """
    labelled = [m for m in micrographs if len(labels.get(m.name, ()))]
    if not labelled:
        raise ValueError(
            f"expected labels on the {len(micrographs)} micrographs, received none"
        )
    rng = np.random.default_rng([seed, n_most])
    chosen = rng.permutation(len(labelled))[:n_most]
    return [labelled[i] for i in sorted(chosen.tolist())]


def hold_out(
    micrographs: Sequence[Micrograph],
    labels: Mapping[str, ScoredCoordinates],
    *,
    fraction: float,
    seed: int,
) -> set[str]:
    """Return the names of the micrographs to validate on, drawn at random.

    They hold about `fraction` of the labels; at least one micrograph is left for
    training. The set is empty if they would hold fewer than ten labels, or if
    `fraction` is 0.
    """
    if not fraction:
        return set()
    rng = np.random.default_rng([seed, len(micrographs)])
    order = rng.permutation(len(micrographs))[:-1].tolist()
    n_labels = sum(len(labels[each.name]) for each in micrographs)
    wanted = max(fraction * n_labels, _FEWEST_HELD_OUT)
    held_out: set[str] = set()
    n_held_out = 0
    for micrograph in (micrographs[i] for i in order):
        n_here = len(labels[micrograph.name])
        if n_held_out < wanted and n_held_out + n_here <= n_labels / 2:
            held_out.add(micrograph.name)
            n_held_out += n_here
    return held_out if n_held_out >= _FEWEST_HELD_OUT else set()


def train_task(
    task: TrainingTask,
    schedule: Schedule,
    *,
    model: Path,
    made_from: str,
    progress: Progress,
    number: int = 1,
) -> list[Checkpoint]:
    """Train a network to its best weights; resume a killed training.

    Parameters
    ----------
    task : TrainingTask
        Task to train.
    schedule : Schedule
        Length of the training.
    model : Path
        Folder of the model to write; the state is kept beside it.
    made_from : str
        Digest of all inputs that decide the result.
    progress : Progress
        Counts updates.
    number : int
        Number of the training, if one model takes several.
    """
    partial = states_folder(model)
    partial.mkdir(parents=True, exist_ok=True)
    state = partial / STATE.format(number=number)
    training = PickerTrainer(task, schedule)
    total = schedule.n_epochs * schedule.n_updates
    stage = "train" if number == 1 else f"train, round {number}"
    with progress.stage(stage, total) as count:
        if restore_training(state, training, made_from=made_from):
            count(len(training.history) * schedule.n_updates)
        while not training.is_finished:
            training.advance(count)
            save_training(state, training, made_from=made_from)
    training.finish()
    return training.history


def forget_states(model: Path) -> None:
    """Remove the saved states of a finished training."""
    shutil.rmtree(states_folder(model), ignore_errors=True)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters of Deep Consensus, kept in every model card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingParameters:
    """Training parameters of an ensemble.

    Defaults as the paper and its implementation, but for the number of updates, which
    the paper leaves to convergence, and what docs/results.md shows.

    Parameters
    ----------
    n_epochs : int, optional
        Passes over the training boxes, >= 1. None: as many, or as much of one, as make
        `n_updates`, so that the time does not grow with the number of boxes.
    n_updates : int
        Updates of a network where `n_epochs` is None, >= 1.
    batch_size : int
        Boxes in one update, >= 2.
    learning_rate : float
        Of Adam, at the start.
    l2_strength : float
        Penalty on the kernels of every layer.
    n_models : int
        Networks in the ensemble, >= 1.
    auto_stopping : bool
        Stop a network whose learning rate fell a thousandfold.
    patience : int
        Updates without a better validation accuracy until the learning rate is
        divided by ten.
    validation_fraction : float
        Share of the boxes, on whole micrographs, kept for validation.
    max_boxes : int
        Boxes of each label used at most, drawn at random.
    prune_labels : bool
        Where more than a few labels look wrong, leave out boxes whose labels probably
        are, and weight the others by how probably theirs are right (`label_noise`).
    half_precision : bool
        Compute in bfloat16, weights and what is added up in float32: for GPUs that
        have instructions for it.
    seed : int
        Of every random act.
    """

    n_epochs: int | None = None
    n_updates: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    l2_strength: float = 1e-5
    n_models: int = 3
    auto_stopping: bool = True
    patience: int = 300
    validation_fraction: float = 0.1
    max_boxes: int = 10_000
    prune_labels: bool = True
    half_precision: bool = False
    seed: int = 1

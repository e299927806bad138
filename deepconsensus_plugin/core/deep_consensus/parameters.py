# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters of Deep Consensus, kept in every model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from deepconsensus_plugin.core.declared import Declared, declare, declare_training_seed
from deepconsensus_plugin.core.published import Published


@dataclass(frozen=True)
class TrainingParameters(Declared):
    """Training parameters of an ensemble.

    Defaults as the paper and its implementation, but for the number of updates, which
    the paper leaves to convergence, and what docs/results.md shows.
    """

    n_epochs: int | None = field(
        default=None,
        metadata=declare(
            "Number of epochs",
            "Passes of each network over all training boxes. The best weights are "
            "kept, so more epochs take longer but do no harm.",
            auto="{n_updates} batches for each network",
            ge=1,
        ),
    )
    n_updates: int = field(
        default=100,
        metadata=declare(
            help="Updates of a network where there is no number of epochs, so that the "
            "time does not grow with the number of boxes.",
            ge=1,
        ),
    )
    batch_size: int = field(
        default=64,
        metadata=declare(
            "Batch size",
            "Number of boxes in one update of the weights.",
            is_expert=True,
            ge=2,
        ),
    )
    learning_rate: float = field(
        default=1e-3,
        metadata=declare(
            "Learning rate",
            "Initial learning rate of the optimiser (Adam). Lower it if the "
            "accuracy jumps.",
            is_expert=True,
            gt=0,
        ),
    )
    l2_strength: float = field(
        default=1e-5,
        metadata=declare(
            "L2 regularisation",
            "Penalty on large weights in every layer. Raise it if the accuracy on "
            "held-out micrographs falls while training goes on.",
            is_expert=True,
            ge=0,
        ),
    )
    n_models: int = field(
        default=3,
        metadata=declare(
            "Number of networks",
            "Networks in the ensemble. The score is the mean over them, and their "
            "spread is its uncertainty. Training time grows with their number.",
            ge=1,
        ),
    )
    auto_stopping: bool = field(
        default=True,
        metadata=declare(
            "Early stopping",
            "*Yes*: the learning rate is divided by ten whenever the accuracy on "
            "held-out micrographs stops improving, and after three such steps the "
            "training of a network ends.\n"
            "*No*: all epochs are carried out.",
        ),
    )
    patience: int | None = field(
        default=None,
        metadata=declare(
            "Patience",
            "Number of updates without a better validation accuracy after which the "
            "learning rate is divided by ten.",
            unit="updates",
            auto="a sixth of the planned updates without a better accuracy or loss, so "
            "that a network that no longer improves ends after half of its training",
            is_expert=True,
            shown_if=("auto_stopping", True),
            ge=1,
        ),
    )
    hold_out_micrographs: bool = field(
        default=True,
        metadata=declare(
            "Hold out whole micrographs",
            "*Yes*: the networks are validated on micrographs that are not used for "
            "training.\n*No*: they are validated on a random sample of the boxes, "
            "which share ice, noise and defocus with the others, so that their "
            "accuracy is overestimated.",
            is_expert=True,
        ),
    )
    validation_fraction: float = field(
        default=0.1,
        metadata=declare(
            help="Share of the boxes that is kept for validation.",
            ge=0,
            lt=1,
        ),
    )
    max_boxes: int = field(
        default=10_000,
        metadata=declare(
            "Maximum boxes per class",
            "If there are more particles, or more background boxes, than this "
            "number, a random subset of that size is used.",
            is_expert=True,
            ge=1,
        ),
    )
    prune_labels: bool = field(
        default=True,
        metadata=declare(
            "Remove likely mislabelled boxes",
            "*Yes*: every box is judged by a classifier trained on other micrographs, "
            "and boxes that contradict their label are not used for training. "
            "Boxes of *extra sets* are always used. This works even if up to 40 % "
            "of the labels are wrong; the summary gives the number of boxes "
            "removed.\n"
            "*No*: all labels are used, as published.",
        ),
    )
    half_precision: bool = field(
        default=False,
        metadata=declare(
            "Half precision",
            "*Yes*: the networks are trained in bfloat16, with weights in single "
            "precision. This is faster on GPUs of 2020 (Ampere) or later, and "
            "slower elsewhere.",
            is_expert=True,
        ),
    )
    seed: int = field(default=1, metadata=declare_training_seed())

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "n_epochs": Published(
            1000, '2.2: "until convergence is detected"; the number is a limit'
        ),
        "batch_size": Published(64, "not given; 64 in its implementation"),
        "learning_rate": Published(
            1e-4, '2.2: "an initial learning rate of 1 × 10⁻⁴", Adam'
        ),
        "l2_strength": Published(
            1e-5, '2.2: "L2 weight regularization … with strength 1 × 10⁻⁵"'
        ),
        "n_models": Published(1, "2.2: one network; 3 in its implementation"),
        "auto_stopping": Published(True, '2.2: "until convergence is detected"'),
        "patience": Published(
            300,
            '2.2: "does not improve for 300 steps (batches), the learning rate is '
            'divided by ten"',
        ),
        "hold_out_micrographs": Published(
            False, '2.2: "a random sample of 10% of the set"'
        ),
        "validation_fraction": Published(
            0.1, '2.2: "a random sample of 10% of the set"'
        ),
        "prune_labels": Published(
            False, '2.1: "very robust to label noise"; every label is believed'
        ),
    }
    """Augmentation is not among them: flips and rotations of half of each batch, the
    paper's "random flips and rotations … at a 1:1 ratio", are always done."""

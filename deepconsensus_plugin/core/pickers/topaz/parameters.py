# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters of Topaz; importing them does not import Keras."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from deepconsensus_plugin.core.declared import (
    Declared,
    declare,
    declare_training_seed,
)
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.published import Published


class Objective(enum.Enum):
    """Objective of the training on few positives and unlabelled regions.

    The paper's Methods 3 and 4. All need the fraction of positives among the
    unlabelled, π.
    """

    PN = "pn"
    """Unlabelled regions are negatives; labels are weighted by π and 1 − π."""

    NNPU = "nnpu"
    """The non-negative estimate of the risk (Kiryo et al. 2017)."""

    GE_KL = "ge-kl"
    """The mean probability of unlabelled regions is held to π."""

    GE_BINOMIAL = "ge-binomial"
    """The number of positives among a batch's unlabelled regions is binomial."""


CRITERION_STRENGTHS = {Objective.GE_KL: 10.0, Objective.GE_BINOMIAL: 1.0}
"""Weights of the criteria (the paper's λ); the other objectives have none."""

_AUTOENCODER_LABELS = 250
"""Labels up to which the paper finds that a decoder helps."""


@dataclass(frozen=True)
class TopazParameters(Declared):
    """Training parameters of a Topaz picker.

    Defaults differ from `PUBLISHED` in the objective (GE-binomial learns more slowly),
    the learning rate, the number of updates and the autoencoder, see docs/results.md.
    """

    objective: Objective = field(
        default=Objective.GE_KL,
        metadata=declare(
            "Training objective",
            "How places without a label are used [Bepler2019].\n"
            "*GE-KL*, *GE-binomial*: the expected number of them are particles; "
            "GE-KL converges sooner.\n"
            "*NNPU*: the non-negative risk estimator [Kiryo2017].\n"
            "*PN*: all of them are background. Use it for micrographs whose "
            "particles are all labelled.",
        ),
    )
    strength: float | None = field(
        default=None,
        metadata=declare(
            "Criterion weight (λ)",
            "Weight of the GE-KL or GE-binomial criterion.",
            auto=f"{CRITERION_STRENGTHS[Objective.GE_KL]:g} for GE-KL and "
            f"{CRITERION_STRENGTHS[Objective.GE_BINOMIAL]:g} for GE-binomial, as "
            "published",
            is_expert=True,
            gt=0,
        ),
    )
    n_layers: int = field(
        default=3,
        metadata=declare(
            "Number of layers",
            "Number of convolutional layers. 3 see 31 downsampled "
            "pixels; 4 see 63, 5 see 127.",
            is_expert=True,
            ge=3,
            le=8,
        ),
    )
    n_units: int = field(
        default=32,
        metadata=declare(
            "Units of the first layer",
            "Number of units in the first layer; each layer has twice as many as "
            "the one before it.",
            is_expert=True,
            ge=1,
            le=4096,
        ),
    )
    radius_px: float = field(
        default=3.0,
        metadata=declare(
            "Label radius",
            "Downsampled pixels at most this far from a labelled centre count as "
            "positive.",
            unit="px",
            is_expert=True,
            gt=0,
        ),
    )
    prior: float | None = field(
        default=None,
        metadata=declare(
            "Fraction of positive pixels",
            "Expected fraction of pixels that lie within the label radius of a "
            "particle, labelled or not.",
            auto="from the expected number of particles and the label radius",
            is_expert=True,
            gt=0,
            lt=1,
        ),
    )
    autoencoder: float | None = field(
        default=0.0,
        metadata=declare(
            "Autoencoder weight",
            "Weight of the error with which the network also reconstructs its "
            "patches, which takes four times as long. 0 trains without an "
            "autoencoder.",
            auto="as published, 10 divided by the number of labels, and 0 with more "
            f"than {_AUTOENCODER_LABELS} labels",
            is_expert=True,
            ge=0,
        ),
    )
    n_epochs: int = field(
        default=10,
        metadata=declare(
            "Number of epochs",
            "The network is validated after each epoch, and the best weights are kept.",
            ge=1,
        ),
    )
    n_updates: int = field(
        default=150,
        metadata=declare(
            "Batches per epoch",
            "Number of updates between two validations, of {batch_size} patches each.",
            ge=1,
        ),
    )
    batch_size: int = field(
        default=256,
        metadata=declare(
            "Batch size",
            "Number of patches in one update of the weights. One in 16 is a "
            "labelled particle.",
            is_expert=True,
            ge=4,
        ),
    )
    labelled_fraction: float = field(
        default=1 / 16,
        metadata=declare(help="Share of a batch that is labelled.", gt=0, lt=1),
    )
    learning_rate: float = field(
        default=1e-3,
        metadata=declare(
            "Learning rate",
            "Learning rate of the optimiser (Adam).",
            is_expert=True,
            gt=0,
        ),
    )
    seed: int = field(default=1, metadata=declare_training_seed())

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "objective": Published(Objective.GE_BINOMIAL, "Methods 4: GE-binomial"),
        "strength": Published(
            None, "Methods 7: λ is 10 for GE-KL and 1 for GE-binomial", "by objective"
        ),
        "n_layers": Published(3, 'Methods 6: "a simple three-layer … network"'),
        "n_units": Published(32, 'Methods 6: "32 conv7x7 filters"'),
        "autoencoder": Published(
            None, "Figure 5: γ = 10/N, of use up to 250 labels", "by number of labels"
        ),
        "n_epochs": Published(10, "not given; 10 in its implementation"),
        "n_updates": Published(1000, "not given; 1000 in its implementation"),
        "batch_size": Published(256, "not given; 256 in its implementation"),
        "labelled_fraction": Published(
            1 / 16, "not given; 1/16 in its implementation", "1/16"
        ),
        "learning_rate": Published(2e-4, "not given; 0.0002 in its implementation"),
    }
    """The radius of labels (3 or 4) and π are those of each set (Table 1)."""

    PUBLISHED_INPUT: ClassVar[Mapping[str, Published]] = {
        "normalisation": Published(
            Normalisation.COMMON_MIXTURE,
            'Methods 2: "a per-image scaled two component Gaussian mixture model"',
            "one mixture, each micrograph with its scale",
        ),
    }
    """Published values of `LearningInput`. Pixels are 5 to 16 Å (Table 1), as chosen
    for each set; a fixed number of pixels for each diameter gives the same range."""

    def conflicts(self) -> list[str]:
        """Return that an objective has no criterion whose weight is given."""
        if self.strength is None or self.objective in CRITERION_STRENGTHS:
            return []
        return ["Criterion weight (λ): NNPU and PN have none; leave it empty"]

    @property
    def criterion_strength(self) -> float:
        """Strength λ of the criterion: as given, or the paper's for the objective."""
        if self.strength is not None:
            return self.strength
        return CRITERION_STRENGTHS.get(self.objective, 0.0)

    def decoder_strength(self, n_labels: int) -> float:
        """Return γ: the given one, or the paper's for a number of labels."""
        if self.autoencoder is not None:
            return self.autoencoder
        return 10 / n_labels if 0 < n_labels <= _AUTOENCODER_LABELS else 0.0

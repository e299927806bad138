# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters of DeepEM; importing them does not import Keras."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from deepconsensus_plugin.core.declared import Declared, declare, declare_training_seed
from deepconsensus_plugin.core.limits import Count
from deepconsensus_plugin.core.published import Published


class Variant(enum.Enum):
    """Variant of the network and its training: as published, or modern."""

    PAPER = "paper"
    """Squared error (eq. 4) and plain gradient descent with rate 1 (eq. 5)."""

    MODERN = "modern"
    """Batch normalisation before the sigmoids, cross entropy, and Adam."""


class Initialisation(enum.Enum):
    """Distribution of the weights before training."""

    UNIT = "unit"
    """Uniform between 0 and 1, as in the paper; it saturates the sigmoids of large
    boxes."""

    SCALED = "scaled"
    """Uniform around 0, with a width that falls with the number of inputs (Glorot &
    Bengio 2010)."""


_LEARNING_RATES = {Variant.PAPER: 1.0, Variant.MODERN: 3e-3}


@dataclass(frozen=True)
class DeepEMParameters(Declared):
    """Training parameters of a DeepEM picker."""

    variant: Variant = field(
        default=Variant.MODERN,
        metadata=declare(
            "Variant",
            "*modern*: batch normalisation, cross entropy and the Adam optimiser.\n"
            "*as published*: squared error and plain gradient descent [Zhu2017].",
        ),
    )
    initialisation: Initialisation = field(
        default=Initialisation.SCALED,
        metadata=declare(
            "Initial weights",
            "*scaled*: around 0, smaller where more inputs are summed.\n"
            "*between 0 and 1*: as published; with larger boxes than published the "
            "units saturate, and nothing is learnt.",
            is_expert=True,
        ),
    )
    input_size: int = field(
        default=36,
        metadata=declare(
            help="Side of the box as the network sees it; the paper's are not reduced.",
            unit="px",
            ge=1,
            le=4096,
        ),
    )
    maps: tuple[Count, ...] = field(
        default=(6, 12, 12),
        metadata=declare(
            "Feature maps of the first layer",
            "Number of feature maps in the first layer; the two layers after it "
            "have twice as many.",
            is_expert=True,
        ),
    )
    learning_rate: float | None = field(
        default=None,
        metadata=declare(
            "Learning rate",
            "Initial learning rate of the optimiser.",
            auto=f"{_LEARNING_RATES[Variant.MODERN]:g} for *modern* (Adam), "
            f"{_LEARNING_RATES[Variant.PAPER]:g} for *as published* (plain gradient "
            "descent)",
            is_expert=True,
            gt=0,
        ),
    )
    n_epochs: int = field(
        default=6,
        metadata=declare(
            "Maximum epochs per round",
            "The network is validated after each epoch, and the best weights are "
            "kept. If half of them bring no improvement, the round ends.",
            ge=1,
        ),
    )
    n_updates: int = field(
        default=100,
        metadata=declare(
            "Batches per epoch",
            "Number of updates between two validations.",
            is_expert=True,
            ge=1,
        ),
    )
    batch_size: int = field(
        default=64,
        metadata=declare(
            "Batch size",
            "Number of boxes in one update of the weights, half of them particles.",
            is_expert=True,
            ge=2,
        ),
    )
    wanted_accuracy: float = field(
        default=0.95,
        metadata=declare(
            "Stop round at accuracy",
            "A round ends when the accuracy on held-out boxes, with a threshold of "
            "0.5, reaches this value.",
            gt=0.5,
            le=1,
        ),
    )
    negatives_per_positive: float = field(
        default=2.0,
        metadata=declare(
            "Background boxes per particle",
            "Number of random background boxes per particle, half a box or more "
            "away from every particle.",
            is_expert=True,
            gt=0,
        ),
    )
    max_boxes: int = field(
        default=10_000,
        metadata=declare(
            help="Boxes of each kind used at most, drawn at random.", ge=1
        ),
    )
    n_rounds: int = field(
        default=5,
        metadata=declare(
            "Number of rounds",
            "After each round the picker searches the training micrographs; what "
            "it finds without a label makes up half of the background from then "
            "on. Choose 1 if not all particles of these micrographs are labelled.",
            ge=1,
        ),
    )
    seed: int = field(default=1, metadata=declare_training_seed())

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "variant": Published(
            Variant.PAPER, "Methods: squared error (eq. 4), gradient descent (eq. 5)"
        ),
        "initialisation": Published(
            Initialisation.UNIT, 'Methods: "a random number between 0 and 1"'
        ),
        "maps": Published(
            (6, 12, 12), "KLH: 6 maps first; the others are in its supplement", "6"
        ),
        "learning_rate": Published(
            None, 'Methods: "We set the η value to 1 in this study"', "1"
        ),
        "n_epochs": Published(
            100, 'KLH: "until the accuracy … reaches a satisfying level"; a limit'
        ),
        "wanted_accuracy": Published(
            0.95, 'KLH: "often set as ~95% at the threshold at 0.5"'
        ),
        "negatives_per_positive": Published(1.0, "KLH: 800 particles and 800 others"),
    }
    """The numbers of rounds and of boxes in a batch are not given."""

    PUBLISHED_INPUT: ClassVar[Mapping[str, Published]] = {
        "pixel_size_A": Published(
            None, "KLH: boxes of 272 px, every pixel an input", "as in the micrographs"
        ),
    }
    """Published values of `LearningInput`; `input_size` is then the box."""

    @property
    def first_rate(self) -> float:
        """Initial learning rate: the given one, or that of the variant."""
        if self.learning_rate is not None:
            return self.learning_rate
        return _LEARNING_RATES[self.variant]


@dataclass(frozen=True)
class OperatingPoint:
    """Threshold with its precision, recall and F₂ on labelled micrographs.

    Parameters
    ----------
    threshold : float
        Lowest score that is accepted, log-odds.
    precision, recall, f2 : float
        Eqs. 6, 7 and 8.
    """

    threshold: float
    precision: float
    recall: float
    f2: float


@dataclass(frozen=True)
class DeepEMRound:
    """Result of one round of training.

    Parameters
    ----------
    number : int
        From 1.
    n_particles, n_others : int
        Numbers of training boxes.
    accuracy : float
        Accuracy on held-out boxes at a score of 0.5; NaN without any.
    operating_point : OperatingPoint, optional
        Point of the largest F₂ on held-out micrographs or, without any, on the training
        micrographs.
    """

    number: int
    n_particles: int
    n_others: int
    accuracy: float
    operating_point: OperatingPoint | None


@dataclass(frozen=True)
class DeviationRange:
    """Range of the standard deviations of boxes of particles; see `selection`.

    Parameters
    ----------
    lowest, highest : float
        Both included.
    """

    lowest: float
    highest: float

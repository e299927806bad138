# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters of DeepEM; importing them does not import Keras."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Variant(enum.Enum):
    """Variant of the network and its training: as published, or modern."""

    PAPER = "paper"
    """Squared error (eq. 4) and plain gradient descent with rate 1 (eq. 5)."""

    MODERN = "modern"
    """Batch normalisation before the sigmoids, cross entropy, and Adam."""


class Initialisation(enum.Enum):
    """Distribution of the weights before training."""

    UNIT = "unit"
    """Between 0 and 1, as the paper says: saturates the sigmoids of large boxes."""

    SCALED = "scaled"
    """Around 0, the smaller the more a unit adds up (Glorot & Bengio 2010)."""


_LEARNING_RATES = {Variant.PAPER: 1.0, Variant.MODERN: 3e-3}


@dataclass(frozen=True)
class DeepEMParameters:
    """Training parameters of a DeepEM picker.

    Parameters
    ----------
    variant : Variant
        How the network is built and trained.
    initialisation : Initialisation
        Of the weights.
    input_size : int
        Side of the box as the network sees it, pixels; the paper's are not reduced.
    maps : tuple of int
        Of each convolution (paper: 6 of the first).
    learning_rate : float, optional
        Default: 1 of the paper's variant, 0.003 of Adam.
    n_epochs, n_updates : int
        Epochs of a round at most, and updates of each; each ends with a validation.
    batch_size : int
        Boxes in one update, as many particles as others.
    wanted_accuracy : float
        Of boxes held out, scores cut at 0.5, at which a round ends (paper: 0.95).
    negatives_per_positive : float
        Boxes drawn at random for each particle (paper: 1).
    max_boxes : int
        Of each kind used at most, drawn at random.
    n_rounds : int
        Rounds of training; before each but the first, false and true positives on the
        micrographs of the training are added to the boxes. 1 where not all of their
        particles are labelled.
    seed : int
        Of every random act.
    """

    variant: Variant = Variant.MODERN
    initialisation: Initialisation = Initialisation.SCALED
    input_size: int = 36
    maps: tuple[int, ...] = (6, 12, 12)
    learning_rate: float | None = None
    n_epochs: int = 6
    n_updates: int = 100
    batch_size: int = 64
    wanted_accuracy: float = 0.95
    negatives_per_positive: float = 2.0
    max_boxes: int = 10_000
    n_rounds: int = 5
    seed: int = 1

    @property
    def first_rate(self) -> float:
        """Initial learning rate: the given one, or that of the variant."""
        if self.learning_rate is not None:
            return self.learning_rate
        return _LEARNING_RATES[self.variant]


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold, and what is reached with it on labelled micrographs.

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
        Boxes that it learnt from.
    accuracy : float
        Of boxes held out, scores cut at 0.5; NaN without any.
    operating_point : OperatingPoint, optional
        Where F₂ is largest, on micrographs held out, or on those it learnt from if
        there are none.
    """

    number: int
    n_particles: int
    n_others: int
    accuracy: float
    operating_point: OperatingPoint | None


@dataclass(frozen=True)
class DeviationRange:
    """Standard deviations that boxes of particles have; see `selection`.

    Parameters
    ----------
    lowest, highest : float
        Both included.
    """

    lowest: float
    highest: float

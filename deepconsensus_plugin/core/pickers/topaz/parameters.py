# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters of Topaz; importing them does not import Keras."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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
class TopazParameters:
    """Training parameters of a Topaz picker.

    Defaults as the paper and its implementation, but for the objective (there
    GE-binomial, which learns more slowly), the learning rate (there 2e-4), the number
    of updates (there 10 epochs of 1000) and the autoencoder (there with few labels),
    see docs/results.md.

    Parameters
    ----------
    objective : Objective
        What is minimised.
    strength : float, optional
        Weight λ of the criterion of GE-KL or GE-binomial. Default: 10 and 1.
    n_layers, n_units : int
        Size of the network (`core.pickers.topaz.network.convolutions`).
    radius_px : float
        Pixels, of the downsampled micrographs, this close to a label are positive.
    prior : float, optional
        Fraction π of positive pixels. Default: as follows from the number of particles.
    autoencoder : float, optional
        Weight γ of the reconstruction; 0 is none. None: the paper's, 10 / labels up to
        250 labels, 0 beyond.
    n_epochs, n_updates : int
        Epochs, and updates of an epoch; each ends with a validation.
    batch_size : int
        Patches in one update.
    labelled_fraction : float
        Share of a batch that is labelled.
    learning_rate : float
        Of Adam.
    seed : int
        Of every random act.
    """

    objective: Objective = Objective.GE_KL
    strength: float | None = None
    n_layers: int = 3
    n_units: int = 32
    radius_px: float = 3.0
    prior: float | None = None
    autoencoder: float | None = 0.0
    n_epochs: int = 10
    n_updates: int = 150
    batch_size: int = 256
    labelled_fraction: float = 1 / 16
    learning_rate: float = 1e-3
    seed: int = 1

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

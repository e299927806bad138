# SPDX-License-Identifier: GPL-3.0-or-later
"""The cards of trained pickers, which find particles on micrographs by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.networks.card import ModelCard
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    HydraPickOptions,
)
from deepconsensus_plugin.core.pickers.trained.prepared import MicrographPreprocessing
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation

TOPAZ, DEEPEM, HYDRA = "topaz", "deepem", "hydra"
"""Kinds of pickers."""


@dataclass(frozen=True, kw_only=True)
class PickerCard(ModelCard):
    """What every trained picker is.

    Parameters
    ----------
    particle_diameter_A : float
        Longest diameter of the particle, Å; two picks are farther apart than half of
        it.
    preprocessing : MicrographPreprocessing
        Done to a micrograph before the network sees it.
    validation : PickerValidation, optional
        On micrographs held out; None where too few were labelled.
    """

    particle_diameter_A: float
    preprocessing: MicrographPreprocessing
    validation: PickerValidation | None = None

    def validation_of(self, choices: HydraPickOptions) -> PickerValidation | None:
        """Return the figures of what is chosen of the model: here, of all."""
        return self.validation

    @property
    def expected_particles(self) -> float | None:
        """Return how many particles a micrograph should hold; None if nobody knows."""
        figures = self.validation
        if figures is None or not figures.curve:
            return None
        return figures.n_particles / figures.n_micrographs

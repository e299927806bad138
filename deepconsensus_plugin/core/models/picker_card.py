# SPDX-License-Identifier: GPL-3.0-or-later
"""The cards of trained pickers, which find particles on micrographs by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.models.card import ModelCard
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    DeepEMRound,
    DeviationRange,
)
from deepconsensus_plugin.core.pickers.prepared import MicrographPreprocessing
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.validation import PickerValidation

TOPAZ, DEEPEM = "topaz", "deepem"
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

    @property
    def expected_particles(self) -> float | None:
        """Return how many particles a micrograph should hold; None if nobody knows."""
        figures = self.validation
        if figures is None or not figures.curve:
            return None
        return figures.n_particles / figures.n_micrographs


@dataclass(frozen=True, kw_only=True)
class TopazCard(PickerCard):
    """What a Topaz picker is.

    Parameters
    ----------
    training : TopazParameters
        How it was trained; holds the seed.
    n_particles : float
        Particles of a micrograph that training reckoned with.
    prior : float
        π that follows from it.
    """

    training: TopazParameters
    n_particles: float
    prior: float

    @property
    def expected_particles(self) -> float:
        """Return what training reckoned with."""
        return self.n_particles


@dataclass(frozen=True, kw_only=True)
class DeepEMCard(PickerCard):
    """What a DeepEM picker is.

    Parameters
    ----------
    training : DeepEMParameters
        How it was trained; holds the seed.
    deviations : DeviationRange, optional
        Of the pixels of a particle's box; what has others is not picked.
    rounds : list of DeepEMRound
        What each round of the training came to.
    """

    training: DeepEMParameters
    deviations: DeviationRange | None
    rounds: list[DeepEMRound]

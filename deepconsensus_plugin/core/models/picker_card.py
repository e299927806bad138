# SPDX-License-Identifier: GPL-3.0-or-later
"""The cards of trained pickers, which find particles on micrographs by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.models.card import ModelCard
from deepconsensus_plugin.core.pickers.prepared import MicrographPreprocessing
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.validation import PickerValidation

TOPAZ = "topaz"
"""The kind of Topaz' cards."""


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

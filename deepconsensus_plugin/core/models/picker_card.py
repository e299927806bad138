# SPDX-License-Identifier: GPL-3.0-or-later
"""The cards of trained pickers, which find particles on micrographs by themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.models.card import ModelCard
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    DeepEMRound,
    DeviationRange,
)
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    GENERAL,
    HydraChoices,
    HydraParameters,
)
from deepconsensus_plugin.core.pickers.prepared import MicrographPreprocessing
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.validation import PickerValidation

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

    def validation_of(self, choices: HydraChoices) -> PickerValidation | None:
        """Return the figures of what is chosen of the model: here, of all."""
        return self.validation

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


@dataclass(frozen=True, kw_only=True)
class HydraHead:
    """What a head of a HydraPicker is for.

    Parameters
    ----------
    name : str
        Of its data set; `GENERAL` of the generalisation head.
    particle_diameter_A : float, optional
        Of its particles, Å; None where they differ.
    are_particles_dark : bool
        Whether they are darker than the background.
    validation : PickerValidation, optional
        On micrographs held out, of all data sets where it is the general one.
    """

    name: str
    particle_diameter_A: float | None
    are_particles_dark: bool = True
    validation: PickerValidation | None = None


@dataclass(frozen=True, kw_only=True)
class HydraCard(PickerCard):
    """What a HydraPicker is.

    Parameters
    ----------
    training : HydraParameters
        How it was trained, and the sizes of the network; holds the seed.
    heads : list of HydraHead
        In the order of the network's; the general one first.
    base : str
        The model whose body and general head it has; empty if they are its own.
    """

    training: HydraParameters
    heads: list[HydraHead]
    base: str = ""

    @property
    def expected_particles(self) -> float | None:
        """Return None: parts of micrographs are validated, of any data set."""
        return None

    def validation_of(self, choices: HydraChoices) -> PickerValidation | None:
        """Return the figures of a head on its data set; None where there are none.

        Those of the general head of several are of other samples than it will pick.
        """
        head = self._named(choices)
        if head is None or head.particle_diameter_A is None:
            return None
        return head.validation

    def is_of_any_size(self, choices: HydraChoices) -> bool:
        """Return whether a head is the general one of several data sets."""
        head = self._named(choices)
        return head is not None and head.particle_diameter_A is None

    def _named(self, choices: HydraChoices) -> HydraHead | None:
        name = choices.head or self.default_head().name
        return next((head for head in self.heads if head.name == name), None)

    def default_head(self) -> HydraHead:
        """Return the head of the only data set, or else the general one."""
        return self.heads[1] if len(self.heads) == 2 else self.heads[0]

    def find_head(self, choices: HydraChoices) -> tuple[int, HydraHead]:
        """Return number and head that are chosen, its diameter and contrast, too.

        Raises
        ------
        IncompatibleModelError
            If there is no such head, or nothing tells the diameter.
        """
        name = choices.head or self.default_head().name
        names = [head.name for head in self.heads]
        if name not in names:
            raise IncompatibleModelError(
                f"expected one of the heads {', '.join(names)}, received {name!r}"
            )
        number = names.index(name)
        head = self.heads[number]
        diameter = choices.particle_diameter_A or head.particle_diameter_A
        if diameter is None:
            raise IncompatibleModelError(
                f"the {GENERAL} head looks for particles of any size: expected their "
                "diameter, received none"
            )
        is_dark = choices.are_particles_dark
        return number, replace(
            head,
            particle_diameter_A=diameter,
            are_particles_dark=head.are_particles_dark if is_dark is None else is_dark,
        )

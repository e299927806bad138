# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a HydraPicker, and its heads."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    GENERAL,
    HydraParameters,
    HydraPickOptions,
)
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation


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

    def validation_of(self, choices: HydraPickOptions) -> PickerValidation | None:
        """Return the figures of a head on its data set; None where there are none.

        Those of the general head of several are of other samples than it will pick.
        """
        head = self._named(choices)
        if head is None or head.particle_diameter_A is None:
            return None
        return head.validation

    def is_of_any_size(self, choices: HydraPickOptions) -> bool:
        """Return whether a head is the general one of several data sets."""
        head = self._named(choices)
        return head is not None and head.particle_diameter_A is None

    def _named(self, choices: HydraPickOptions) -> HydraHead | None:
        name = choices.head or self.default_head().name
        return next((head for head in self.heads if head.name == name), None)

    def default_head(self) -> HydraHead:
        """Return the head of the only data set, or else the general one."""
        return self.heads[1] if len(self.heads) == 2 else self.heads[0]

    def find_head(self, choices: HydraPickOptions) -> tuple[int, HydraHead]:
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

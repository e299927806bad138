# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a HydraPicker, and its heads."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.limits import Diameter
from deepconsensus_plugin.core.networks.stored import StoredNetwork
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL, HydraParameters
from deepconsensus_plugin.core.pickers.hydra.stored_parts import (
    stored_body,
    stored_heads,
)
from deepconsensus_plugin.core.pickers.trained.card import PickerCard, UnknownSample
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX


@dataclass(frozen=True, kw_only=True)
class HydraHead(Declared):
    """Head of a HydraPicker: its data set, particle size and validation.

    Parameters
    ----------
    name : str
        Name of its data set; `GENERAL` of the generalisation head.
    particle_diameter_A : float, optional
        Diameter of its particles, Å; None if they differ.
    are_particles_dark : bool
        Whether they are darker than the background.
    validation : PickerValidation, optional
        Validation on held-out micrographs; of all data sets for the general head.
    """

    name: str
    particle_diameter_A: Diameter | None
    are_particles_dark: bool = True
    validation: PickerValidation | None = None

    def describe(self) -> str:
        """Return a line on the particles of the head and its validation."""
        size = self.particle_diameter_A
        width = "any size" if size is None else f"{size:.0f} Å"
        figure = "not validated"
        if self.validation is not None:
            figure = f"average precision {self.validation.average_precision:.3f}"
        return f"Head *{self.name}*: particles of {width}; {figure}."


@dataclass(frozen=True, kw_only=True)
class HydraCard(PickerCard):
    """Card of a HydraPicker.

    Parameters
    ----------
    training : HydraParameters
        Training parameters, with the seed and the architecture.
    heads : list of HydraHead
        Heads in the order of the network's; the general one first.
    base : str
        Model that the body and the general head come from; empty if they are its own.
    """

    kind: str = "hydra"
    training: HydraParameters
    heads: list[HydraHead]
    base: str = ""

    def stored_networks(self) -> tuple[StoredNetwork, ...]:
        """Return the body, and the heads."""
        architecture = self.training.architecture
        heads = stored_heads(architecture, len(self.heads))
        return (stored_body(architecture), *heads)

    def trial_options(self) -> HydraPickOptions:
        """Return the general head, for particles of the card's diameter."""
        return HydraPickOptions(particle_diameter_A=self.particle_diameter_A)

    @property
    def expected_particles(self) -> float | None:
        """None, since parts of micrographs from several data sets are validated."""
        return None

    def describe(self, label: str) -> list[str]:
        """Return lines that describe the model and each of its heads."""
        architecture = self.training.architecture
        return [
            f"{label} for particles scaled to {architecture.particle_px:.0f} px, body "
            f"of {architecture.body_channels} channels, seed {self.training.seed}; "
            f"heads: {len(self.heads)}.",
            *(head.describe() for head in self.heads),
        ]

    def validation_of(
        self, options: HydraPickOptions | None
    ) -> PickerValidation | None:
        """Return the validation of a head on its data set; None without any.

        The general head of several data sets has none: it will pick other samples.
        """
        head = self._named(options)
        if head is None or head.particle_diameter_A is None:
            return None
        return head.validation

    def box_extent_of(self, options: HydraPickOptions | None) -> float:
        """Return the side of the boxes of picks, Å: wider for a wider particle."""
        _, head = self.find_head(options)
        diameter = head.particle_diameter_A
        if diameter is None or diameter == self.particle_diameter_A:
            return self.box_extent_A
        return diameter / DIAMETER_PER_BOX

    def shows_dark_particles(self, options: HydraPickOptions | None) -> bool:
        """Return whether particles are darker than their surroundings."""
        return self.find_head(options)[1].are_particles_dark

    def unknown_sample(self, options: HydraPickOptions | None) -> UnknownSample | None:
        """Return the sample that the general head of several data sets is to pick."""
        head = self._named(options)
        is_of_any_size = head is not None and head.particle_diameter_A is None
        if not is_of_any_size or options is None or not options.particle_diameter_A:
            return None
        _, chosen = self.find_head(options)
        return UnknownSample(options.particle_diameter_A, chosen.are_particles_dark)

    def lacks_diameter(self, options: HydraPickOptions | None) -> bool:
        """Return whether the head is the general one, and options name no diameter."""
        head = self._named(options)
        is_of_any_size = head is not None and head.particle_diameter_A is None
        return is_of_any_size and (options is None or not options.particle_diameter_A)

    def check_can_pick(
        self, *, sampling_rate: float, has_ctfs: bool, options: HydraPickOptions | None
    ) -> None:
        """Refuse a head that there is not, or whose particles' diameter is unknown.

        Raises
        ------
        IncompatibleModelError
            If the options do not fit the model.
        """
        try:
            self.find_head(options)
        except IncompatibleModelError as error:
            raise IncompatibleModelError(f"HydraPicker only: {error}.") from error

    def _named(self, options: HydraPickOptions | None) -> HydraHead | None:
        name = (options and options.head) or self.default_head().name
        return next((head for head in self.heads if head.name == name), None)

    def default_head(self) -> HydraHead:
        """Return the head of the only data set, or else the general one."""
        return self.heads[1] if len(self.heads) == 2 else self.heads[0]

    def find_head(self, options: HydraPickOptions | None) -> tuple[int, HydraHead]:
        """Return the number of the chosen head, and the head with the chosen diameter.

        Raises
        ------
        IncompatibleModelError
            If there is no such head, or the diameter is unknown.
        """
        options = options or HydraPickOptions()
        name = options.head or self.default_head().name
        names = [head.name for head in self.heads]
        if name not in names:
            raise IncompatibleModelError(
                f"expected one of the heads {', '.join(names)}, received {name!r}"
            )
        number = names.index(name)
        head = self.heads[number]
        diameter = options.particle_diameter_A or head.particle_diameter_A
        if diameter is None:
            raise IncompatibleModelError(
                f"the {GENERAL} head looks for particles of any size: expected their "
                "diameter, received none"
            )
        is_dark = options.are_particles_dark
        return number, replace(
            head,
            particle_diameter_A=diameter,
            are_particles_dark=head.are_particles_dark if is_dark is None else is_dark,
        )

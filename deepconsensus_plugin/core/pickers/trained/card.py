# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a trained picker, which every method's card extends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.limits import Diameter
from deepconsensus_plugin.core.networks.card import ModelCard
from deepconsensus_plugin.core.pickers.trained.prepared import MicrographPreprocessing
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation

_COARSER = 1.02
"""Largest tolerated ratio of a micrograph's pixel size to that of the model."""


@dataclass(frozen=True)
class UnknownSample:
    """Particle that a model is to pick and that none of its training sets contained.

    Parameters
    ----------
    diameter_A : float
        Longest diameter, Å.
    is_dark : bool
        Whether it is darker than the background.
    """

    diameter_A: float
    is_dark: bool


@dataclass(frozen=True, kw_only=True)
class PickerCard(ModelCard):
    """Card of a trained picker; `options` is the dataclass of the method, or None.

    Parameters
    ----------
    particle_diameter_A : float
        Longest diameter of the particle, Å; half of it is the minimum distance of
        picks.
    preprocessing : MicrographPreprocessing
        Preprocessing of micrographs.
    validation : PickerValidation, optional
        Validation on held-out micrographs; None if too few particles were labelled.
    training : dataclass
        Training parameters of the method, with the seed.
    """

    particle_diameter_A: Diameter
    preprocessing: MicrographPreprocessing
    validation: PickerValidation | None = None
    training: Any

    def describe(self, label: str) -> list[str]:
        """Return lines that describe the model; `label` names its kind."""
        return [
            f"{label} for particles of {self.particle_diameter_A:.0f} Å, trained at "
            f"{self.preprocessing.pixel_size_A:.3g} Å/px; box "
            f"{self.box_size} px at {self.sampling_rate:.3g} Å/px, seed "
            f"{self.training.seed}."
        ]

    def validation_of(self, options: Any) -> PickerValidation | None:
        """Return the validation of the part of the model that `options` choose."""
        return self.validation

    def box_extent_of(self, options: Any) -> float:
        """Return the side of the boxes of picks, Å."""
        return self.box_extent_A

    def shows_dark_particles(self, options: Any) -> bool:
        """Return whether particles are darker than their surroundings."""
        return True

    def lacks_diameter(self, options: Any) -> bool:
        """Return whether particles of any size are picked, and options name none."""
        return False

    def unknown_sample(self, options: Any) -> UnknownSample | None:
        """Return the particle to pick if no training set contained it, else None."""
        return None

    def check_can_pick(
        self, *, sampling_rate: float, has_ctfs: bool, options: Any
    ) -> None:
        """Refuse micrographs whose pixels are coarser than those of the model.

        Raises
        ------
        IncompatibleModelError
            If the pixels are coarser.
        """
        finest = self.preprocessing.pixel_size_A
        if sampling_rate > _COARSER * finest:
            raise IncompatibleModelError(
                f"Micrographs: their pixel size of {sampling_rate:.3g} Å/px is coarser "
                f"than the {finest:.3g} Å/px of the model."
            )

    @property
    def expected_particles(self) -> float | None:
        """Expected number of particles per micrograph; None if unknown."""
        figures = self.validation
        if figures is None or not figures.curve:
            return None
        return figures.n_particles / figures.n_micrographs

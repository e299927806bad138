# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a model: what it was trained on and what it may be used for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.limits import (
    NetworkCount,
    NotNegativeInt,
    PixelSize,
    Positive,
    Side,
)
from deepconsensus_plugin.core.networks.stored import StoredNetwork

CARD_FILE, WEIGHTS_FILE = "card.json", "model.keras"
"""Files of a model folder."""

EXTENT_TOLERANCE = 0.15
"""Tolerated relative difference of two data sets' boxes in Å."""


@dataclass(frozen=True)
class TrainingSet(Declared):
    """One set of boxes that a model learnt from or was tested on."""

    name: str
    is_particle: bool
    n_boxes: NotNegativeInt
    weight: Positive


@dataclass(frozen=True, kw_only=True)
class ModelCard(Declared):
    """Card that every model keeps beside its weights as ``card.json``.

    Parameters
    ----------
    kind : str
        Method of the network, as in `core.methods.METHODS`.
    n_models : int
        Networks in it.
    box_size : int
        Pixels, of the micrographs it was trained on.
    sampling_rate : float
        Å/px, of the same.
    training_sets : list of TrainingSet
        Sets that it was trained on.
    versions : dict
        Versions of this package and those underneath.
    """

    kind: str
    n_models: NetworkCount = 1
    box_size: Side
    sampling_rate: PixelSize
    training_sets: list[TrainingSet]
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def box_extent_A(self) -> float:
        """Side of a box in Å."""
        return self.box_size * self.sampling_rate

    @property
    def needs_ctf(self) -> bool:
        """Whether it can look at micrographs with a CTF only."""
        return False

    def stored_networks(self) -> tuple[StoredNetwork, ...]:
        """Return what networks the file of weights holds."""
        raise NotImplementedError(f"{type(self).__name__}.stored_networks")

    def trial_options(self) -> Any:
        """Return the choices with which the model is tried; None: as it was trained."""
        return None

    def check_can_pick(
        self, *, sampling_rate: float, has_ctfs: bool, options: Any
    ) -> None:
        """Refuse micrographs that the model cannot pick.

        Parameters
        ----------
        sampling_rate : float
            Sampling rate of the micrographs, Å/px.
        has_ctfs : bool
            Whether their CTFs are known.
        options : dataclass, optional
            Choices that the method offers.

        Raises
        ------
        IncompatibleModelError
            If it cannot; the message is a whole sentence.
        """

    def check_fits(self, *, box_size: int, sampling_rate: float) -> None:
        """Refuse boxes that show another extent than those of the training.

        Raises
        ------
        IncompatibleModelError
            If the extents differ by more than `EXTENT_TOLERANCE`.
        """
        extent = box_size * sampling_rate
        if abs(extent / self.box_extent_A - 1) > EXTENT_TOLERANCE:
            fitting = round(self.box_extent_A / sampling_rate)
            raise IncompatibleModelError(
                f"The model was trained on boxes of {self.box_size} px at "
                f"{self.sampling_rate:.3g} Å/px = {self.box_extent_A:.0f} Å; these are "
                f"of {box_size} px at {sampling_rate:.3g} Å/px = {extent:.0f} Å, more "
                f"than {EXTENT_TOLERANCE:.0%} off. Use a box of about {fitting} px, or "
                "train a model on these data."
            )

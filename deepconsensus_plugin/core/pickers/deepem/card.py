# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a DeepEM picker."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.networks.stored import StoredNetwork
from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    DeepEMRound,
    DeviationRange,
    Variant,
)
from deepconsensus_plugin.core.pickers.trained.card import PickerCard


@dataclass(frozen=True, kw_only=True)
class DeepEMCard(PickerCard):
    """Card of a DeepEM picker.

    Parameters
    ----------
    training : DeepEMParameters
        Training parameters, with the seed.
    deviations : DeviationRange, optional
        Range of the standard deviation of a particle's box; boxes outside it are
        rejected.
    rounds : list of DeepEMRound
        Result of each round of the training.
    """

    kind: str = "deepem"
    training: DeepEMParameters
    deviations: DeviationRange | None
    rounds: list[DeepEMRound]

    @property
    def architecture(self) -> DeepEMArchitecture:
        """Sizes of the layers."""
        training = self.training
        return DeepEMArchitecture.of_box(training.input_size, maps=training.maps)

    def stored_networks(self) -> tuple[StoredNetwork, ...]:
        """Return the network for boxes."""
        is_normalised = self.training.variant is Variant.MODERN
        return (self.architecture.stored_network(is_normalised=is_normalised),)

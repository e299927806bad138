# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of the toy method, and its parameters."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.networks.stored import StoredNetwork, convolution
from deepconsensus_plugin.core.pickers.trained.card import PickerCard


@dataclass(frozen=True)
class ToyParameters:
    """Parameters of the toy method's training."""

    side_px: int = 9
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class ToyCard(PickerCard):
    """Card of a template."""

    kind: str = "toy"
    training: ToyParameters

    def stored_networks(self) -> tuple[StoredNetwork, ...]:
        """Return the filter."""
        return (
            StoredNetwork((convolution(self.training.side_px, 1, 1, has_bias=False),)),
        )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a Topaz picker."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.limits import Fraction, NotNegative
from deepconsensus_plugin.core.networks.stored import StoredNetwork
from deepconsensus_plugin.core.pickers.topaz.architecture import (
    architecture_of,
    stored_network,
)
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.trained.card import PickerCard


@dataclass(frozen=True, kw_only=True)
class TopazCard(PickerCard):
    """Card of a Topaz picker.

    Parameters
    ----------
    training : TopazParameters
        Training parameters, with the seed.
    n_particles : float
        Particles per micrograph that the training assumed.
    prior : float
        Fraction π of positives that follows from `n_particles`.
    """

    kind: str = "topaz"
    training: TopazParameters
    n_particles: NotNegative
    prior: Fraction

    def stored_networks(self) -> tuple[StoredNetwork, ...]:
        """Return the classifier; the decoder is not stored."""
        return (stored_network(architecture_of(self.training)),)

    @property
    def expected_particles(self) -> float:
        """Number of particles per micrograph that the training assumed."""
        return self.n_particles

# SPDX-License-Identifier: GPL-3.0-or-later
"""Card of a DeepEM picker."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    DeepEMRound,
    DeviationRange,
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

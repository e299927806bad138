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
        How it was trained; holds the seed.
    deviations : DeviationRange, optional
        Standard deviations of the pixels of a particle's box; what has others is not
        picked.
    rounds : list of DeepEMRound
        Result of each round of the training.
    """

    kind: str = "deepem"
    training: DeepEMParameters
    deviations: DeviationRange | None
    rounds: list[DeepEMRound]

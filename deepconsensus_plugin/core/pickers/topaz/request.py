# SPDX-License-Identifier: GPL-3.0-or-later
"""Request to train a Topaz picker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput


@dataclass(frozen=True)
class TopazTrainRequest(Declared):
    """Request to train a Topaz picker.

    Parameters
    ----------
    learnt : LearningInput
        Micrographs and labels.
    parameters : TopazParameters
        Training parameters.
    model : Path
        Model folder to write.
    """

    learnt: LearningInput
    parameters: TopazParameters
    model: Path

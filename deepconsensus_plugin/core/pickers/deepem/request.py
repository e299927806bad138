# SPDX-License-Identifier: GPL-3.0-or-later
"""Request to train a DeepEM picker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.pickers.deepem.parameters import DeepEMParameters
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput


@dataclass(frozen=True)
class DeepEMTrainRequest(Declared):
    """Request to train a DeepEM picker.

    Parameters
    ----------
    learnt : LearningInput
        Micrographs and labels. Its pixel size follows from the box: a box has
        ``parameters.input_size`` of those pixels.
    parameters : DeepEMParameters
        Training parameters.
    model : Path
        Model folder to write.
    """

    learnt: LearningInput
    parameters: DeepEMParameters
    model: Path

# SPDX-License-Identifier: GPL-3.0-or-later
"""Request to train a HydraPicker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraParameters
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput


@dataclass(frozen=True)
class HydraTrainRequest(Declared):
    """Request to train a HydraPicker on several data sets, or to add heads to one.

    Parameters
    ----------
    sets : tuple of LearningInput
        Micrographs and labels of each data set, whose names are those of the heads.
        All particles of the micrographs are labelled. Pixel sizes follow from the
        diameters.
    parameters : HydraParameters
        Training parameters; the architecture is that of `base` where there is one.
    model : Path
        Model folder to write.
    base : Path, optional
        Model folder of a HydraPicker: its body and general head are kept, and each
        data set trains a new head (few-shot).
    """

    sets: tuple[LearningInput, ...]
    parameters: HydraParameters
    model: Path
    base: Path | None = None

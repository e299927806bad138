# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks of micrographs about which nothing is known: what `auto` begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.diameter.estimate import (
    DiameterEstimate,
    estimate_diameter,
)
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.types import (
    BOX_PER_DIAMETER,
    Micrograph,
    PickerPicks,
)
from deepconsensus_plugin.core.workflow.sets import pick

CLASSICAL = {
    "difference of Gaussians": PickMethod.GAUSSIANS,
    "rotational correlation": PickMethod.CORRELATION,
}
"""Pickers without training, by name."""

LEARNT = "general HydraPicker"
"""Name of the picker that was trained on other samples."""


@dataclass(frozen=True, eq=False)
class AutomaticPicks:
    """Picks of three pickers of different principle, and the diameter they were told.

    Parameters
    ----------
    diameter_A : float
        Longest extent of the particle, Å: the given one, or the estimate.
    estimate : DiameterEstimate
        What the micrographs tell of it.
    pickers : tuple of PickerPicks
        Each with the threshold that it finds by itself.
    """

    diameter_A: float
    estimate: DiameterEstimate
    pickers: tuple[PickerPicks, ...]


def pick_for_me(
    micrographs: Sequence[Micrograph],
    folder: Path | str,
    *,
    diameter_A: float | None = None,
    particles_dark: bool = True,
    workers: int = 2,
    progress: Progress | None = None,
) -> AutomaticPicks:
    """Return the picks of all pickers that need no training.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of one sampling rate.
    folder : Path or str
        Folder of the results of each micrograph, so that an interrupted run resumes.
    diameter_A : float, optional
        Longest extent of the particle, Å. None: estimated.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    workers : int
        Number of threads.
    progress : Progress, optional
        Receives the progress of the run.

    Raises
    ------
    ValueError
        If no diameter is given, and none can be estimated.
    """
    estimate = estimate_diameter(
        micrographs, particles_dark=particles_dark, workers=workers
    )
    diameter = diameter_A or estimate.diameter_A
    if diameter is None:
        raise ValueError(f"diameter_A: none was given. {estimate.describe()}")
    box_px = BOX_PER_DIAMETER * diameter / micrographs[0].sampling_rate
    asked: dict[str, tuple[PickParameters | Path, HydraPickOptions | None]] = {
        name: (PickParameters(diameter, method, particles_dark=particles_dark), None)
        for name, method in CLASSICAL.items()
    }
    options = HydraPickOptions(GENERAL, diameter, particles_dark)
    asked[LEARNT] = general_model(), options
    pickers = (
        pick(
            micrographs,
            picker,
            Path(folder) / name.replace(" ", "_"),
            name=name,
            box_size=2 * math.ceil(box_px / 2),
            options=chosen,
            workers=workers,
            progress=progress,
        )
        for name, (picker, chosen) in asked.items()
    )
    return AutomaticPicks(diameter, estimate, tuple(pickers))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks of micrographs about which nothing is known: what `auto` begins with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import carry_out
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
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.pipeline.pick import PickRequest
from deepconsensus_plugin.core.types import (
    BOX_PER_DIAMETER,
    Micrograph,
    PickerPicks,
)

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


def automatic_requests(
    micrographs: Sequence[Micrograph],
    folder: Path,
    *,
    diameter_A: float,
    particles_dark: bool,
    workers: int,
) -> dict[str, PickRequest | NetworkPickRequest]:
    """Return the job of each picker, by the picker's name.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of one sampling rate.
    folder : Path
        Gets a folder for each picker.
    diameter_A : float
        Longest extent of the particle, Å.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    workers : int
        Number of threads.
    """
    requests: dict[str, PickRequest | NetworkPickRequest] = {}
    for name, method in CLASSICAL.items():
        place = folder / method.value
        requests[name] = PickRequest(
            tuple(micrographs),
            PickParameters(diameter_A, method, particles_dark=particles_dark),
            place / "peaks",
            place / "picks.h5",
            workers=workers,
        )
    place = folder / "general"
    requests[LEARNT] = NetworkPickRequest(
        tuple(micrographs),
        general_model(),
        place / "found",
        place / "picks.h5",
        options=HydraPickOptions(GENERAL, diameter_A, particles_dark),
        workers=workers,
    )
    return requests


def read_automatic(
    requests: Mapping[str, PickRequest | NetworkPickRequest], *, diameter_A: float
) -> tuple[PickerPicks, ...]:
    """Return the picks of jobs that are finished."""
    rate = next(iter(requests.values())).micrographs[0].sampling_rate
    box_size = 2 * math.ceil(BOX_PER_DIAMETER * diameter_A / rate / 2)
    return tuple(
        PickerPicks(name, box_size, read_coordinates(request.result))
        for name, request in requests.items()
    )


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
    requests = automatic_requests(
        micrographs,
        Path(folder),
        diameter_A=diameter,
        particles_dark=particles_dark,
        workers=workers,
    )
    for request in requests.values():
        request.result.parent.mkdir(parents=True, exist_ok=True)
        carry_out(request, progress or Progress())
    pickers = read_automatic(requests, diameter_A=diameter)
    return AutomaticPicks(diameter, estimate, pickers)

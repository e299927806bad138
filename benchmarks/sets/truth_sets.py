# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs with a truth, real or simulated, under one name each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.sets.picking_sets import MATCH_RADIUS_IN_BOXES, SETS, load
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.pipeline import simulate
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
from deepconsensus_plugin.core.simulation import SimulationParameters
from deepconsensus_plugin.core.types import (
    BOX_PER_DIAMETER,
    Micrograph,
    ScoredCoordinates,
)

DEMO_MICROGRAPHS, DEMO_DIAMETER_A = 14, 160.0

Marks = Mapping[str, ScoredCoordinates]


@dataclass(frozen=True)
class TruthSet:
    """Micrographs, their true centres, and what a user knows of the particle."""

    name: str
    micrographs: tuple[Micrograph, ...]
    truth: Marks
    diameter_A: float
    truth_box_size: int

    @property
    def box_size(self) -> int:
        """Box of the pickers, pixels: even, one and a half diameters."""
        rate = self.micrographs[0].sampling_rate
        return 2 * int(np.ceil(BOX_PER_DIAMETER * self.diameter_A / rate / 2))

    @property
    def match_radius_px(self) -> float:
        """Largest distance of a match, pixels."""
        return MATCH_RADIUS_IN_BOXES * self.truth_box_size


def load_truth_set(name: str, folder: Path) -> TruthSet:
    """Return a real set by its folder's name, or ``simulated-SEED``, made in `folder`.

    Raises
    ------
    ValueError
        If there is no such set.
    """
    real = {picking.folder: picking for picking in SETS}
    if name in real:
        picking = real[name]
        return TruthSet(name, *load(picking), picking.diameter_A, picking.box_size)
    kind, _, seed = name.partition("-")
    if kind != "simulated" or not seed.isdecimal():
        raise ValueError(
            f"expected {', '.join(real)} or simulated-SEED, received {name!r}"
        )
    return _simulated(name, int(seed), folder)


def _simulated(name: str, seed: int, folder: Path) -> TruthSet:
    parameters = SimulationParameters(seed=seed)
    request = SimulateRequest(
        parameters, DEMO_MICROGRAPHS, folder / "micrographs", folder / "truth.h5"
    )
    made = simulate.run(request, Progress())
    micrographs = tuple(
        Micrograph(
            record.path.name,
            record.path,
            read_shape(record.path),
            parameters.sampling_rate,
        )
        for record in made.micrographs
    )
    truth = read_coordinates(made.coordinates)
    return TruthSet(name, micrographs, truth, DEMO_DIAMETER_A, made.box_size)

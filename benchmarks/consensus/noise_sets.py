# SPDX-License-Identifier: GPL-3.0-or-later
"""Training and test boxes with known labels, particles and background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.sets import real_sets
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.negatives import draw_random_negatives
from deepconsensus_plugin.core.pipeline import simulate
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
from deepconsensus_plugin.core.simulation import (
    Crowd,
    Exposure,
    ObjectClass,
    Phantom,
    SimulationParameters,
    Structure,
)
from deepconsensus_plugin.core.simulation.truth import read_truth, true_coordinates
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

SAMPLING_RATE, BOX_SIZE = 4.0, 60
N_TRAINING, N_TESTING = 34, 8
MOLECULES = tuple(set(ObjectClass) - {ObjectClass.CONTAMINANT})

REAL, N_REAL_TRAINING = "empiar10017", 9
SETS = (*(phantom.value for phantom in Phantom), REAL)

Marks = dict[str, ScoredCoordinates]


@dataclass(frozen=True)
class Labelled:
    """Micrographs with boxes that are particles, and as many that are not."""

    micrographs: tuple[Micrograph, ...]
    box_size: int
    particles: Marks
    background: Marks

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return sum(map(len, self.particles.values()))


def make_sets(name: str, folder: Path, snr: float) -> tuple[Labelled, Labelled]:
    """Return what is learnt from and what is tested on, on different micrographs.

    Parameters
    ----------
    name : str
        One of `SETS`: a phantom, simulated in `folder`, or real micrographs, of which
        `real_sets.data_folder` tells.
    folder : Path
        What it holds of the simulation is kept.
    snr : float
        Signal to noise of the simulation.
    """
    if name == REAL:
        return _real()
    parameters = SimulationParameters(
        sampling_rate=SAMPLING_RATE,
        resolution_A=2 * SAMPLING_RATE,
        structures=(Structure(Phantom(name)),),
        crowd=Crowd(particles_per_micrograph=180),
        exposure=Exposure(snr=snr),
    )
    request = SimulateRequest(
        parameters, N_TRAINING + N_TESTING, folder / "micrographs", folder / "truth.h5"
    )
    records = simulate.run(request, Progress()).micrographs
    micrographs = tuple(
        Micrograph(r.path.name, r.path, read_shape(r.path), SAMPLING_RATE)
        for r in records
    )
    objects = {r.path.name: read_truth(r.truth) for r in records}
    good = {n: true_coordinates(o, [ObjectClass.GOOD]) for n, o in objects.items()}
    molecules = {n: true_coordinates(o, MOLECULES) for n, o in objects.items()}
    return (
        _label(micrographs[:N_TRAINING], BOX_SIZE, good, molecules),
        _label(micrographs[N_TRAINING:], BOX_SIZE, good, molecules),
    )


def _real() -> tuple[Labelled, Labelled]:
    """Return expert centres, and boxes half a box away from all of them."""
    real = real_sets.load_set("B")
    parts = real.micrographs[:N_REAL_TRAINING], real.micrographs[N_REAL_TRAINING:]
    first, second = (
        _label(part, real_sets.BOX_SIZE, real.truth, real.truth) for part in parts
    )
    return first, second


def _label(
    micrographs: tuple[Micrograph, ...], box_size: int, good: Marks, molecules: Marks
) -> Labelled:
    names = [micrograph.name for micrograph in micrographs]
    particles = {name: good[name] for name in names}
    background = draw_random_negatives(
        micrographs,
        {name: molecules[name] for name in names},
        sum(map(len, particles.values())),
        box_size=box_size,
        exclusion_radius_px=box_size / 2,
        rng=np.random.default_rng(0),
    )
    return Labelled(micrographs, box_size, particles, background)

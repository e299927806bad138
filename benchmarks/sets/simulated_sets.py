# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated sets of the accuracy tables: four structures, three densities each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks.sets.truth_sets import TruthSet
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.pipeline import simulate
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
from deepconsensus_plugin.core.simulation import (
    Crowd,
    ObjectClass,
    Phantom,
    SimulationParameters,
    Structure,
    true_coordinates,
)
from deepconsensus_plugin.core.simulation.truth import read_truth
from deepconsensus_plugin.core.types import Micrograph

N_MICROGRAPHS = 16
PHANTOMS = (Phantom.TETRAMER, Phantom.SHELL, Phantom.BARREL, Phantom.WISHBONE)
PARTICLES_PER_MICROGRAPH = (40, 80, 160)
SETS = {
    f"{phantom.value}-{n}": (phantom, n)
    for phantom, n in product(PHANTOMS, PARTICLES_PER_MICROGRAPH)
}

GOOD = (ObjectClass.GOOD,)
"""The simulator's truth: wanted molecules, whole and by themselves."""
WHOLE = (ObjectClass.GOOD, ObjectClass.OVERLAPPING, ObjectClass.CUT_OFF)
"""Also those that touch another object or the border."""


@dataclass(frozen=True, eq=False)
class SimulatedSet:
    """Micrographs of one structure and density, with two ideas of their truth.

    Parameters
    ----------
    good, whole : TruthSet
        The same micrographs; centres of the objects in `GOOD` and in `WHOLE`.
    """

    good: TruthSet
    whole: TruthSet


def simulate_set(
    name: str, seed: int, folder: Path, *, n_micrographs: int = N_MICROGRAPHS
) -> SimulatedSet:
    """Return the set of that name; what `folder` holds of it is kept."""
    phantom, n_particles = SETS[name]
    parameters = SimulationParameters(
        structures=(Structure(phantom),),
        crowd=Crowd(particles_per_micrograph=n_particles),
        seed=seed,
    )
    return make_set(name, parameters, folder, n_micrographs=n_micrographs)


def make_set(
    name: str, parameters: SimulationParameters, folder: Path, *, n_micrographs: int
) -> SimulatedSet:
    """Return a set of simulated micrographs; what `folder` holds of it is kept."""
    request = SimulateRequest(
        parameters, n_micrographs, folder / "micrographs", folder / "truth.h5"
    )
    made = simulate.run(request, Progress())
    rate = parameters.sampling_rate
    micrographs = tuple(
        Micrograph(each.path.name, each.path, read_shape(each.path), rate, each.ctf)
        for each in made.micrographs
    )
    objects = {each.path.name: read_truth(each.truth) for each in made.micrographs}
    good, whole = (
        TruthSet(
            name,
            micrographs,
            {n: true_coordinates(found, classes) for n, found in objects.items()},
            made.diameter_A,
            made.box_size,
        )
        for classes in (GOOD, WHOLE)
    )
    return SimulatedSet(good, whole)

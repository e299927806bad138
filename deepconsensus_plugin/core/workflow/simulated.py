# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated micrographs with their true particles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import carry_out
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


@dataclass(frozen=True, eq=False)
class SimulatedSet:
    """Simulated micrographs whose particles are known.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs with their CTFs.
    truth : dict of str to ScoredCoordinates
        True particles, by micrograph.
    box_size : int
        Side of the box, pixels.
    diameter_A : float
        Diameter of the largest molecule, Å.
    """

    micrographs: tuple[Micrograph, ...]
    truth: dict[str, ScoredCoordinates]
    box_size: int
    diameter_A: float


def simulate(
    n_micrographs: int,
    folder: Path | str,
    parameters: SimulationParameters | None = None,
    *,
    workers: int = SimulateRequest.workers,
    progress: Progress | None = None,
) -> SimulatedSet:
    """Simulate micrographs in a folder; return them with their true particles.

    Parameters
    ----------
    n_micrographs : int
        Number of micrographs, >= 1.
    folder : Path or str
        Folder of the micrographs. An interrupted run resumes, a finished one is read.
    parameters : SimulationParameters, optional
        Parameters of the simulation.
    workers : int
        Number of threads.
    progress : Progress, optional
        Receives the progress of the run.
    """
    folder, parameters = Path(folder), parameters or SimulationParameters()
    request = SimulateRequest(
        parameters, n_micrographs, folder, folder / "truth.h5", workers=workers
    )
    made = carry_out(request, progress or Progress())
    micrographs = tuple(
        Micrograph(
            each.path.name,
            each.path,
            parameters.shape,
            parameters.sampling_rate,
            each.ctf,
        )
        for each in made.micrographs
    )
    truth = read_coordinates(made.coordinates)
    return SimulatedSet(micrographs, truth, made.box_size, made.diameter_A)

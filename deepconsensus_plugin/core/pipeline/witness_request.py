# SPDX-License-Identifier: GPL-3.0-or-later
"""Request for the general model's opinion of candidates, its result, and its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.limits import Count, NotNegativeInt, Positive, Side
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.types import FloatArray, Micrograph


@dataclass(frozen=True)
class WitnessRequest:
    """Request for the log-odds of the general model at candidates.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs to look at; those without candidates are left out.
    coordinates : Path
        File of `core.io.tables.write_coordinates`: candidates, in their pixels.
    box_size : int
        Side of the box, pixels.
    model : Path
        Folder of a HydraPicker with a general head.
    particle_diameter_A : float
        Longest diameter of the particles, Å.
    are_particles_dark : bool
        Whether particles are darker than the background.
    seen : Path
        Folder for what is found on each micrograph.
    log_odds : Path
        HDF5 file of coordinates to write: the candidates that were looked at, with the
        log-odds as their scores.
    peaks : Path
        HDF5 file of coordinates to write: every maximum of the model, log-odds.
    null : Path
        JSON file of the `NullComparison` to write: what the model finds on some of the
        micrographs, and on images of noise with their spectra.
    seed : int
        Random seed of that noise.
    workers : int
        Threads that read and prepare micrographs.
    """

    micrographs: tuple[Micrograph, ...]
    coordinates: Path
    box_size: Side
    model: Path
    particle_diameter_A: Positive
    are_particles_dark: bool
    seen: Path
    log_odds: Path
    peaks: Path
    null: Path
    seed: NotNegativeInt = 0
    workers: Count = 2

    @property
    def options(self) -> HydraPickOptions:
        """Options of the model."""
        return HydraPickOptions(
            particle_diameter_A=self.particle_diameter_A,
            are_particles_dark=self.are_particles_dark,
        )


@dataclass(frozen=True)
class WitnessResult:
    """Result of asking the general model.

    Parameters
    ----------
    n_candidates, n_micrographs : int
        Candidates that were looked at, and micrographs.
    timings : dict of StageCost
        Time and memory by stage.
    """

    n_candidates: int
    n_micrographs: int
    timings: dict[str, StageCost] = field(default_factory=dict)


def read_witness(path: Path, candidates: Candidates) -> FloatArray:
    """Return the log-odds of n candidates, NaN where the model did not look.

    Parameters
    ----------
    path : Path
        File that the job wrote; it may be missing.
    candidates : Candidates
        n, all or some of those that the job was given, by whole micrographs.

    Raises
    ------
    ValueError
        If the file holds another number of candidates of a micrograph.
    """
    log_odds = np.full(len(candidates), np.nan)
    if not path.is_file():
        return log_odds
    known = read_coordinates(path)
    edges = np.searchsorted(
        candidates.micrograph_index, np.arange(len(candidates.micrographs) + 1)
    )
    for name, first, last in zip(
        candidates.micrographs, edges[:-1], edges[1:], strict=True
    ):
        if name not in known or first == last:
            continue
        if len(known[name]) != last - first:
            raise ValueError(
                f"{path}: expected {last - first} candidates on {name}, received "
                f"{len(known[name])}. Restart the run"
            )
        log_odds[first:last] = known[name].scores
    return log_odds

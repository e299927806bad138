# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage of the chain that asks the general model for its opinion of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pipeline.fuse import can_fuse
from deepconsensus_plugin.core.pipeline.witness_request import WitnessRequest
from deepconsensus_plugin.core.types import (
    DIAMETER_PER_BOX,
    Micrograph,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.workflow.files import ChainFiles, made_folder
from deepconsensus_plugin.core.workflow.running import KeptJobs, RunJob


def ask_general_model(
    micrographs: Sequence[Micrograph],
    coordinates: Mapping[str, ScoredCoordinates],
    folder: Path | str,
    *,
    box_size: int,
    are_particles_dark: bool = True,
    particle_diameter_A: float | None = None,
    seen: Path | None = None,
    workers: int = WitnessRequest.workers,
    run_job: RunJob | None = None,
) -> dict[str, ScoredCoordinates]:
    """Return the log-odds that the general model gives to coordinates.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of the coordinates; those without any are left out.
    coordinates : mapping of micrograph name to ScoredCoordinates
        Centres, pixels, such as ``candidates.coordinates()``; their scores are not
        used.
    folder : Path or str
        Folder of ``witness.h5``, ``witness_peaks.h5``, ``null.json`` and what belongs
        to them.
    box_size : int
        Side of the box, pixels.
    are_particles_dark : bool
        Whether particles are darker than the background.
    particle_diameter_A : float, optional
        Longest diameter of the particles, Å. None: two thirds of the box.
    seen : Path, optional
        Folder of what the model said of each micrograph, which several runs may share.
        None: in `folder`.
    workers : int
        Number of threads.
    run_job : callable, optional
        Function that carries out the job. None: a `KeptJobs`.

    Returns
    -------
    dict of str to ScoredCoordinates
        The coordinates on the micrographs, with log-odds as scores. Empty if there are
        none; there are no files then.
    """
    files = ChainFiles(made_folder(folder))
    asked = [m for m in micrographs if len(coordinates.get(m.name, ()))]
    if not asked:
        files.forget_witness()
        return {}
    diameter_px = DIAMETER_PER_BOX * box_size
    write_coordinates(files.asked, {m.name: coordinates[m.name] for m in asked})
    request = WitnessRequest(
        micrographs=tuple(asked),
        coordinates=files.asked,
        box_size=box_size,
        model=general_model(),
        particle_diameter_A=particle_diameter_A or diameter_px * asked[0].sampling_rate,
        are_particles_dark=are_particles_dark,
        seen=seen or files.folder / "witness",
        log_odds=files.witness,
        peaks=files.witness_peaks,
        null=files.null,
        workers=workers,
    )
    (run_job or KeptJobs(files.folder))(request)
    return read_coordinates(request.log_odds)


def ask_about(
    candidates: Candidates,
    coordinates: Mapping[str, ScoredCoordinates],
    micrographs: Sequence[Micrograph],
    folder: Path,
    *,
    is_wanted: bool,
    box_size: int,
    are_particles_dark: bool,
    seen: Path | None = None,
    workers: int,
    run_job: RunJob,
) -> None:
    """Ask the general model about candidates where its opinion will be combined.

    It is not asked on bad micrographs, nor where scores cannot be combined; what an
    earlier run left is then removed.

    Parameters
    ----------
    candidates : Candidates
        All of them.
    coordinates : mapping of micrograph name to ScoredCoordinates
        The same on these micrographs, in their pixels.
    micrographs : sequence of Micrograph
        Micrographs to look at.
    folder : Path
        Folder of the files of the chain.
    is_wanted : bool
        Whether the user wants it, and to combine scores.
    box_size, are_particles_dark, seen, workers, run_job
        As for `ask_general_model`.
    """
    if not (is_wanted and can_fuse(candidates)):
        ChainFiles(folder).forget_witness()
        return
    bad = candidates.bad_micrographs
    ask_general_model(
        [micrograph for micrograph in micrographs if micrograph.name not in bad],
        coordinates,
        folder,
        box_size=box_size,
        are_particles_dark=are_particles_dark,
        seen=seen,
        workers=workers,
        run_job=run_job,
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage of the chain that averages candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepconsensus_plugin.core.averages.parameters import (
    FEWEST_BOXES,
    AveragesParameters,
)
from deepconsensus_plugin.core.averages.table import (
    AveragesTable,
    forget_averages,
    read_averages,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.pipeline.averages_request import AveragesRequest
from deepconsensus_plugin.core.pipeline.fuse import can_fuse
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.core.workflow.files import ChainFiles, made_folder
from deepconsensus_plugin.core.workflow.running import KeptJobs, RunJob


def average_candidates(
    micrographs: Sequence[Micrograph],
    coordinates: Mapping[str, ScoredCoordinates],
    folder: Path | str,
    *,
    box_size: int,
    are_particles_dark: bool = True,
    left_out: Sequence[str] = (),
    parameters: AveragesParameters | None = None,
    workers: int = AveragesRequest.workers,
    run_job: RunJob | None = None,
) -> AveragesTable:
    """Return aligned averages of boxes, and the likeness of each box to them.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of the coordinates, of one sampling rate; phases are flipped on
        those whose CTF is known.
    coordinates : mapping of micrograph name to ScoredCoordinates
        Centres, pixels, such as ``candidates.coordinates()``; their scores are not
        used.
    folder : Path or str
        Folder of ``averages.h5``, ``averages.mrcs`` and what belongs to them.
    box_size : int
        Side of the box, pixels.
    are_particles_dark : bool
        Whether particles are darker than the background.
    left_out : sequence of str
        Names of micrographs whose candidates are not looked at.
    parameters : AveragesParameters, optional
        Number of averages, resolution and seed. None: the defaults.
    workers : int
        Number of threads.
    run_job : callable, optional
        Function that carries out the job. None: a `KeptJobs`.

    Returns
    -------
    AveragesTable
        In the order of the coordinates.

    Raises
    ------
    ValueError
        If there are fewer than `FEWEST_BOXES` candidates.
    """
    files = ChainFiles(made_folder(folder))
    write_coordinates(files.compared, coordinates)
    request = AveragesRequest(
        micrographs=tuple(m for m in micrographs if len(coordinates.get(m.name, ()))),
        coordinates=files.compared,
        box_size=box_size,
        are_particles_dark=are_particles_dark,
        averages=files.averages,
        left_out=tuple(left_out),
        parameters=parameters or AveragesParameters(),
        workers=workers,
    )
    (run_job or KeptJobs(files.folder))(request)
    return read_averages(files.averages)


def average_about(
    candidates: Candidates,
    coordinates: Mapping[str, ScoredCoordinates],
    micrographs: Sequence[Micrograph],
    folder: Path,
    *,
    is_wanted: bool,
    box_size: int,
    are_particles_dark: bool,
    parameters: AveragesParameters | None = None,
    workers: int,
    run_job: RunJob,
) -> None:
    """Average candidates where that will count for their score.

    What an earlier run left is removed where they are not averaged: where scores cannot
    be combined, and where too few candidates lie on good micrographs.

    Parameters
    ----------
    candidates : Candidates
        Those that were scored.
    coordinates : mapping of micrograph name to ScoredCoordinates
        The same, in pixels of `micrographs`.
    micrographs : sequence of Micrograph
        Micrographs to look at.
    folder : Path
        Folder of the files of the chain.
    is_wanted : bool
        Whether the user wants it, and to combine scores.
    box_size, are_particles_dark, parameters, workers, run_job
        As for `average_candidates`.
    """
    n_judged = int((~candidates.are_on(candidates.bad_micrographs)).sum())
    if not (is_wanted and can_fuse(candidates)) or n_judged < FEWEST_BOXES:
        forget_averages(ChainFiles(folder).averages)
        return
    average_candidates(
        micrographs,
        coordinates,
        folder,
        box_size=box_size,
        are_particles_dark=are_particles_dark,
        left_out=candidates.bad_micrographs,
        parameters=parameters,
        workers=workers,
        run_job=run_job,
    )

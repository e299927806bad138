# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage of the chain that masks what is in the way on micrographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepconsensus_plugin.core.pipeline.mask import MaskRequest, are_made, find_bad_in
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX, Micrograph
from deepconsensus_plugin.core.workflow.running import RunJob


def make_masks(
    micrographs: Sequence[Micrograph],
    folder: Path,
    *,
    box_size: int,
    workers: int = MaskRequest.workers,
    are_particles_dark: bool = True,
    run_job: RunJob,
) -> tuple[str, ...]:
    """Make the masks of micrographs, and return the names of bad ones, sorted.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of one sampling rate.
    folder : Path
        Folder of the masks; those that are there and fit are kept.
    box_size : int
        Side of the box of the particles, pixels.
    workers : int
        Number of threads.
    are_particles_dark : bool
        Whether particles are darker than their surroundings.
    run_job : callable
        Function that carries out the job, unless all masks are there.
    """
    diameter_A = box_size * micrographs[0].sampling_rate * DIAMETER_PER_BOX
    request = MaskRequest(
        tuple(micrographs), folder, diameter_A, workers, are_particles_dark
    )
    if not are_made(request):
        run_job(request)
    return find_bad_in(folder, [micrograph.name for micrograph in micrographs])

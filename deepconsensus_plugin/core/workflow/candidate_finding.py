# SPDX-License-Identifier: GPL-3.0-or-later
"""First stage of the chain: masks of the micrographs, and candidates of all pickers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepconsensus_plugin.core.io.tables import write_candidates
from deepconsensus_plugin.core.pipeline.combine import (
    Combination,
    ConsensusRules,
    combine_picks,
)
from deepconsensus_plugin.core.pipeline.mask import MaskRequest
from deepconsensus_plugin.core.serialisation import to_plain, write_json
from deepconsensus_plugin.core.types import Micrograph, PickerPicks
from deepconsensus_plugin.core.usable_area.bad_micrographs import find_bad_micrographs
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.masks import make_masks
from deepconsensus_plugin.core.workflow.running import KeptJobs, RunJob


def find_candidates(
    micrographs: Sequence[Micrograph],
    pickers: Sequence[PickerPicks],
    rules: ConsensusRules,
    folder: Path,
    *,
    unwanted: PickerPicks | None = None,
    cut_from: Sequence[Micrograph] = (),
    workers: int = MaskRequest.workers,
    are_particles_dark: bool = True,
    run_job: RunJob | None = None,
) -> Combination:
    """Return the candidates of all pickers and the report on them, and write both.

    Parameters
    ----------
    micrographs, pickers
        Micrographs that were picked, and the picks.
    rules : ConsensusRules
        Rules of the consensus.
    folder : Path
        Folder of the two files, and of the masks of the micrographs.
    unwanted : PickerPicks, optional
        Coordinates near which picks are excluded first.
    cut_from : sequence of Micrograph
        Micrographs that boxes are cut from, if others; bad ones are found there too.
    workers : int
        Number of threads.
    are_particles_dark : bool
        Whether particles are darker than their surroundings.
    run_job : callable, optional
        Function that carries out the job of the masks. None: a `KeptJobs`.
    """
    files = ChainFiles(folder)
    bad = make_masks(
        micrographs,
        files.masks,
        box_size=rules.box_for(picks.box_size for picks in pickers),
        workers=workers,
        are_particles_dark=are_particles_dark,
        run_job=run_job or KeptJobs(folder),
    )
    found = combine_picks(
        pickers,
        rules,
        shapes={micrograph.name: micrograph.shape for micrograph in micrographs},
        unwanted=unwanted,
        bad_micrographs=tuple(sorted({*bad, *find_bad_micrographs(cut_from)})),
        masks=files.masks,
    )
    write_candidates(files.candidates, found.candidates)
    write_json(files.report, to_plain(found.report))
    return found

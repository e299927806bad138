# SPDX-License-Identifier: GPL-3.0-or-later
"""Chain of Deep Consensus: from picks to accepted coordinates in one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.table import write_accepted
from deepconsensus_plugin.core.averages.kinds import read_likeness
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.locks import only_worker_in
from deepconsensus_plugin.core.pipeline.combine import Combination
from deepconsensus_plugin.core.pipeline.witness_request import read_witness
from deepconsensus_plugin.core.types import Micrograph, PickerPicks
from deepconsensus_plugin.core.workflow.candidate_finding import find_candidates
from deepconsensus_plugin.core.workflow.candidate_stages import CandidateStages
from deepconsensus_plugin.core.workflow.files import ChainFiles, made_folder
from deepconsensus_plugin.core.workflow.fusing import fuse_scored
from deepconsensus_plugin.core.workflow.geometry import BoxGeometry, preprocessing_of
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.core.workflow.result import DeepConsensusResult
from deepconsensus_plugin.core.workflow.running import KeptJobs, RunJob
from deepconsensus_plugin.core.workflow.stages import draw_negatives


def run_deep_consensus(
    micrographs: Sequence[Micrograph],
    pickers: Sequence[PickerPicks],
    options: DeepConsensusOptions,
    folder: Path | str,
    progress: Progress | None = None,
    *,
    unwanted: PickerPicks | None = None,
    cut_from: Sequence[Micrograph] | None = None,
    run_job: RunJob | None = None,
) -> DeepConsensusResult:
    """Return which candidates of several pickers are particles.

    An interrupted run resumes when it is called again: results in `folder` are used if
    they were made from the same input and options.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs that were picked, of one sampling rate.
    pickers : sequence of PickerPicks
        Picks of at least one picker; probabilities need two.
    options : DeepConsensusOptions
        Options of all stages.
    folder : Path or str
        Folder of all files, made if it does not exist.
    progress : Progress, optional
        Receives the progress of the run.
    unwanted : PickerPicks, optional
        Coordinates near which picks are excluded first.
    cut_from : sequence of Micrograph, optional
        Micrographs to extract boxes from, with the names of `micrographs`, for example
        binned or dose-weighted ones.
    run_job : callable, optional
        Function that carries out the jobs. None: a `KeptJobs`.

    Raises
    ------
    ValueError
        If there is no micrograph, no picker or no pick on any micrograph, if pickers
        have the same name, if there is nothing to train on, or (`WithheldError`) if a
        precision is asked for and none can be expected.
    FileExistsError
        If the folder is a file.
    FolderInUseError
        If another run is at work in the folder.
    """
    _check_input(micrographs, pickers)
    folder = made_folder(folder)
    with only_worker_in(folder):
        return _run_stages(
            *(micrographs, pickers, options, folder),
            unwanted=unwanted,
            cut_from=cut_from or (),
            run_job=run_job or KeptJobs(folder, progress),
        )


def _run_stages(
    micrographs: Sequence[Micrograph],
    pickers: Sequence[PickerPicks],
    options: DeepConsensusOptions,
    folder: Path,
    *,
    unwanted: PickerPicks | None,
    cut_from: Sequence[Micrograph],
    run_job: RunJob,
) -> DeepConsensusResult:
    """Carry out all stages in a folder that is ours alone."""
    preprocessing = options.preprocessing
    found = find_candidates(
        *(micrographs, pickers, options.consensus, folder),
        unwanted=unwanted,
        cut_from=cut_from,
        workers=options.workers,
        are_particles_dark=preprocessing is None or preprocessing.invert,
        run_job=run_job,
    )
    box_size, rate = found.report.box_size, micrographs[0].sampling_rate
    if preprocessing is None or options.skip_training:  # as in the model
        preprocessing = preprocessing_of(options.initial_model, box_size, rate)
    stages = CandidateStages(
        BoxGeometry.of(
            cut_from or micrographs,
            box_size=box_size,
            sampling_rate=rate,
            needs_ctf=preprocessing.phase_flip,
        ),
        options,
        folder,
        run_job,
    )
    stages.ask_general_model(found.candidates, are_particles_dark=preprocessing.invert)
    model = options.initial_model if options.skip_training else None
    if model is None:
        model = _train(stages, found, micrographs)
    stages.score(found.candidates, model)
    stages.average(found.candidates, are_particles_dark=preprocessing.invert)
    fuse_scored(
        folder,
        seed=options.fusion_seed,
        micrographs=micrographs,
        model=model,
        feedback=options.feedback_on(micrographs, box_size),
        run_job=run_job,
    )
    return select_scored(found, micrographs, folder, options.acceptance)


def _train(
    stages: CandidateStages, found: Combination, micrographs: Sequence[Micrograph]
) -> Path:
    """Draw negatives, train on them and on what is agreed, and return the model."""
    options = stages.options
    draw_negatives(
        micrographs,
        found.candidates,
        stages.folder,
        box_size=found.report.box_size,
        parameters=options.negatives,
        n_positives=found.report.n_and,
        masks=stages.files.masks,
        avoid=stages.likely_particles(),
        workers=options.workers,
        run_job=stages.run_job,
    )
    return stages.train(
        found.candidates, found.report.min_pickers, options.initial_model
    )


def _check_input(
    micrographs: Sequence[Micrograph], pickers: Sequence[PickerPicks]
) -> None:
    """Raise ValueError if there is no input, or no pick on the micrographs."""
    for name, given in [("micrographs", micrographs), ("pickers", pickers)]:
        if not given:
            raise ValueError(f"{name}: expected at least one, received none")
    names = {micrograph.name for micrograph in micrographs}
    here = [
        picks
        for each in pickers
        for name, picks in each.coordinates.items()
        if name in names
    ]
    if not any(map(len, here)):
        raise ValueError("pickers: expected picks on the micrographs, received none")


def select_scored(
    found: Combination,
    micrographs: Sequence[Micrograph],
    folder: Path,
    rule: AcceptanceRule,
) -> DeepConsensusResult:
    """Apply a threshold rule to the scores in a folder, and write their table.

    Parameters
    ----------
    found, micrographs
        Result of `find_candidates`, and the micrographs that were picked.
    folder : Path
        Folder of the earlier stages.
    rule : AcceptanceRule
        Rule for what is accepted.

    Raises
    ------
    WithheldError
        If the rule asks for a precision, and none can be expected.
    """
    files = ChainFiles(folder)
    rows, networks = files.read_scores()
    score, calibration = files.read_score()
    scored = found.candidates.take(rows)
    acceptance = accept(
        rule,
        score,
        Places.of(scored, micrographs, found.report.box_size),
        are_probabilities=calibration is not None,
        report=calibration,
    )
    general_model = read_witness(files.witness, scored)
    likeness = read_likeness(
        *(files.averages, scored, score),
        picked_pixel_A=micrographs[0].sampling_rate,
    )
    write_accepted(files.table, scored, networks, acceptance, general_model, likeness)
    return DeepConsensusResult(
        found.candidates,
        rows,
        networks,
        score,
        acceptance,
        found.report,
        calibration,
        files,
        general_model,
        likeness,
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Chain of Deep Consensus: from picks to accepted coordinates in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.acceptance.accept import Acceptance, accept
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.acceptance.table import write_accepted
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.pipeline.combine import Combination
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.workflow.candidate_stages import (
    CandidateStages,
    find_candidates,
    fuse_scored,
)
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.geometry import BoxGeometry, preprocessing_of
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.core.workflow.running import KeptJobs, RunJob
from deepconsensus_plugin.core.workflow.stages import draw_negatives, made_folder


@dataclass(frozen=True, eq=False)
class DeepConsensusResult:
    """Candidates, m, and the scores of those that could be cut out, n.

    Parameters
    ----------
    candidates : Candidates
        All of them, m.
    rows : array, shape (n,), int
        Which ones have a score, ascending.
    networks : EnsembleScores
        What the networks said, n.
    score : array, shape (n,)
        What the threshold applies to: probabilities, or the networks' mean.
    acceptance : Acceptance
        What is accepted of these, n, and why the others are not.
    consensus : ConsensusReport
        Who agreed with whom.
    calibration : CalibrationReport, optional
        Expected precision and recall, of pickers and of every threshold; None where
        scores are no probabilities.
    files : ChainFiles
        Where everything is, the table of scores among it.
    """

    candidates: Candidates
    rows: IntArray
    networks: EnsembleScores
    score: FloatArray
    acceptance: Acceptance
    consensus: ConsensusReport
    calibration: CalibrationReport | None
    files: ChainFiles

    @property
    def accepted(self) -> BoolArray:
        """Mask of the accepted ones of the scored candidates, shape (n,)."""
        return self.acceptance.accepted

    @property
    def threshold(self) -> float:
        """Lowest score that is good enough; infinity where none is."""
        return self.acceptance.threshold

    @property
    def summary(self) -> AcceptanceSummary:
        """Numbers of accepted candidates, and what is expected of them."""
        return self.acceptance.summarise(self.calibration)

    @property
    def scored(self) -> dict[str, ScoredCoordinates]:
        """Scored candidates by micrograph, with `score`."""
        return self.candidates.take(self.rows).by_micrograph(self.score)

    @property
    def coordinates(self) -> dict[str, ScoredCoordinates]:
        """Accepted candidates by micrograph, with `score`."""
        kept = self.candidates.take(self.rows[self.accepted])
        return kept.by_micrograph(self.score[self.accepted])


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

    A run that was interrupted goes on when it is called again: what `folder` holds is
    used as far as it was made from the same input and options.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        What was picked, all of one sampling rate.
    pickers : sequence of PickerPicks
        At least one; probabilities need two.
    options : DeepConsensusOptions
        How.
    folder : Path or str
        For all files; made if it is not there.
    progress : Progress, optional
        Is told how far the run is.
    unwanted : PickerPicks, optional
        Picks near these are left out first.
    cut_from : sequence of Micrograph, optional
        Cut boxes from these, which are named as `micrographs`, but may be binned or
        weighted in another way.
    run_job : callable, optional
        Carries out the jobs; see `KeptJobs`, the default.

    Raises
    ------
    ValueError
        If there is no micrograph, no picker or no pick on any micrograph, if pickers
        have one name, or if there is nothing to learn from.
    FileExistsError
        If the folder is a file.
    """
    _check_input(micrographs, pickers)
    folder = made_folder(folder)
    found = find_candidates(
        micrographs, pickers, options.consensus, folder, unwanted=unwanted
    )
    box_size, rate = found.report.box_size, micrographs[0].sampling_rate
    preprocessing = options.preprocessing
    if preprocessing is None or options.skip_training:  # the model tells
        preprocessing = preprocessing_of(options.initial_model, box_size, rate)
    run_job = run_job or KeptJobs(folder, progress)
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
    model = options.initial_model if options.skip_training else None
    if model is None:
        draw_negatives(
            micrographs,
            found.candidates,
            folder,
            box_size=box_size,
            parameters=options.negatives,
            n_positives=found.report.n_and,
            workers=options.workers,
            run_job=run_job,
        )
        model = stages.train(
            found.candidates, found.report.min_pickers, options.initial_model
        )
    stages.score(found.candidates, model)
    fuse_scored(found.candidates, folder, seed=options.fusion_seed)
    return select_scored(found, micrographs, folder, options.acceptance)


def _check_input(
    micrographs: Sequence[Micrograph], pickers: Sequence[PickerPicks]
) -> None:
    """Refuse input that has nothing to find candidates in."""
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
    """Return what a rule accepts of scores in a folder; write the table of them.

    Parameters
    ----------
    found, micrographs
        Of `find_candidates`, and what was picked.
    folder : Path
        Of the stages before.
    rule : AcceptanceRule
        What is accepted.
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
    )
    write_accepted(files.table, scored, networks, acceptance)
    return DeepConsensusResult(
        found.candidates,
        rows,
        networks,
        score,
        acceptance,
        found.report,
        calibration,
        files,
    )

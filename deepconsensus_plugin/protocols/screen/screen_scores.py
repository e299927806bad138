# SPDX-License-Identifier: GPL-3.0-or-later
"""Scored candidates of *deep consensus*, and which of them its form accepts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import AveragedItems, candidate_rows
from deepconsensus_plugin.core.acceptance.accept import Acceptance
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.calibration.thresholds import PUBLISHED, ThresholdRule
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.kinds import Likeness
from deepconsensus_plugin.core.pipeline.witness_request import read_witness
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.protocols.consensus.picks_input import (
    pickedBox,
    referenceMicrographs,
)
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    SPACING,
    judgeScores,
)
from deepconsensus_plugin.protocols.deep_consensus.scored_rows import (
    ScoredRows,
    scoredRows,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD
from deepconsensus_plugin.protocols.screen.screen_stages import boxFrameOfScreen
from deepconsensus_plugin.protocols.shared.chain_files import readAveraged

ACCEPTED, SCORED = "", "Scored"
"""Suffixes of the outputs."""


@dataclass(frozen=True, eq=False)
class ScreenScores:
    """Candidates with the scores of those that could be cut out, n.

    Parameters
    ----------
    candidates : Candidates
        All of them, on the reference.
    positions : array, shape (n,), int
        Rows of those with a score, ascending.
    networks : EnsembleScores
        Scores of the networks, n.
    acceptance : Acceptance
        Which candidates belong to the accepted outputs, n.
    isWhole : array, shape (n,), bool
        Which candidates can be particles.
    firstId : int
        Id of the first candidate as an item.
    generalModel : array, shape (n,), optional
        Log-odds of the general model.
    averaged : AveragedItems, optional
        What averages tell of the candidates, by row of the n.
    """

    candidates: Candidates
    positions: IntArray
    networks: EnsembleScores
    acceptance: Acceptance
    isWhole: BoolArray
    firstId: int = 1
    generalModel: FloatArray | None = None
    averaged: AveragedItems | None = None

    @cached_property
    def likeness(self) -> Likeness | None:
        """Likeness to averages, n; None where the candidates were not averaged."""
        if self.averaged is None:
            return None
        return self.averaged.likeness(self.scored, self.acceptance.score)

    def summarise(self, report: CalibrationReport | None) -> AcceptanceSummary:
        """Return numbers and expected figures; see `Acceptance.summarise`."""
        kind = None if self.likeness is None else self.likeness.kind
        return self.acceptance.summarise(report, kind)

    @property
    def scored(self) -> Candidates:
        """Candidates with a score, n."""
        return self.candidates.take(self.positions)

    def items(self, protocol: Protocol, suffix: str) -> ScoredRows:
        """Return what belongs to the outputs of a suffix."""
        micrographs = referenceMicrographs(protocol)
        scored = scoredRows(
            candidate_rows(micrographs, self.candidates, self.firstId),
            self.scored,
            self.positions,
            self.acceptance.score,
            self.networks,
            isWhole=self.isWhole,
            reason=self.acceptance.reason,
            generalModel=self.generalModel,
            averaged=self.averaged,
        )
        return scored if suffix == SCORED else scored.take(self.acceptance.accepted)


def readScores(
    protocol: Protocol, files: ChainFiles
) -> tuple[ScreenScores, CalibrationReport | None]:
    """Return what the stages of the end found, and the report of the fusion.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    files : ChainFiles
        Files of the stages.
    """
    candidates = read_candidates(files.candidates)
    positions, networks = files.read_scores()
    score, report = files.read_score()
    scored = candidates.take(positions)
    accepted, isWhole = judgeForm(
        *(protocol, scored, score, THRESHOLD.read(protocol)), report=report
    )
    found = ScreenScores(
        *(candidates, positions, networks, accepted, isWhole),
        generalModel=read_witness(files.witness, scored),
        averaged=readAveraged(files, len(scored), boxFrameOfScreen(protocol)),
    )
    return found, report


def judgeForm(
    protocol: Protocol,
    candidates: Candidates,
    score: FloatArray,
    threshold: ThresholdRule = PUBLISHED,
    *,
    report: CalibrationReport | None = None,
) -> tuple[Acceptance, BoolArray]:
    """Return `judgeScores` with the spacing of the form.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    candidates : Candidates
        Those with a score, n.
    score : array, shape (n,)
        Score that the threshold applies to.
    threshold : ThresholdRule
        What score is good enough.
    report : CalibrationReport, optional
        Report of the fusion; None where scores are no probabilities.
    """
    return judgeScores(
        AcceptanceRule(threshold, SPACING.read(protocol)),
        *(candidates, score, referenceMicrographs(protocol)),
        boxSize=pickedBox(protocol),
        report=report,
    )

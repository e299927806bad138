# SPDX-License-Identifier: GPL-3.0-or-later
"""Result of the chain of Deep Consensus."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.acceptance.accept import Acceptance
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.kinds import Likeness
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.workflow.files import ChainFiles


@dataclass(frozen=True, eq=False)
class DeepConsensusResult:
    """Result of the chain: m candidates, and scores of the n that could be extracted.

    Parameters
    ----------
    candidates : Candidates
        All candidates, m.
    rows : array, shape (n,), int
        Rows of the candidates that have a score, ascending.
    networks : EnsembleScores
        Scores of the networks, n.
    score : array, shape (n,)
        Scores that the threshold applies to: probabilities, or means of the networks.
    acceptance : Acceptance
        Which of these, n, are accepted, and why the others are not.
    consensus : ConsensusReport
        Report on the agreement of the pickers.
    calibration : CalibrationReport, optional
        Expected precision and recall, of pickers and at every threshold. None if
        scores are not probabilities.
    files : ChainFiles
        Paths of all files, among them the table of scores.
    general_model : array, shape (n,)
        Log-odds that the general model gives these, NaN where it was not asked.
    likeness : Likeness
        Of these to averages.
    """

    candidates: Candidates
    rows: IntArray
    networks: EnsembleScores
    score: FloatArray
    acceptance: Acceptance
    consensus: ConsensusReport
    calibration: CalibrationReport | None
    files: ChainFiles
    general_model: FloatArray
    likeness: Likeness

    @property
    def accepted(self) -> BoolArray:
        """Mask of the accepted ones of the scored candidates, shape (n,)."""
        return self.acceptance.accepted

    @property
    def threshold(self) -> float:
        """Lowest score that is good enough; infinity where none is."""
        return self.acceptance.threshold

    @property
    def kind(self) -> IntArray:
        """Codes of `Kind` of the scored candidates, shape (n,): what they look like."""
        return self.likeness.kind

    @property
    def summary(self) -> AcceptanceSummary:
        """Numbers of accepted candidates, and what is expected of them."""
        return self.acceptance.summarise(self.calibration, self.kind)

    @property
    def scored(self) -> dict[str, ScoredCoordinates]:
        """Scored candidates by micrograph, with `score`."""
        return self.candidates.take(self.rows).by_micrograph(self.score)

    @property
    def coordinates(self) -> dict[str, ScoredCoordinates]:
        """Accepted candidates by micrograph, with `score`."""
        kept = self.candidates.take(self.rows[self.accepted])
        return kept.by_micrograph(self.score[self.accepted])

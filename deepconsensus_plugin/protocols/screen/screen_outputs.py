# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of *deep consensus*, while the stream runs and at its end.

There are two of each kind: what is accepted, under the plain name, and all that was
scored, for another threshold. They hold the same items, with the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pwem.objects import Coordinate, SetOfCoordinates, SetOfParticles
from pyworkflow.object import Set
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import (
    candidate_items,
    observed_in,
    write_observed,
)
from deepconsensus_plugin.core.acceptance.accept import Acceptance
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.calibration.thresholds import PUBLISHED, ThresholdRule
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.protocols.consensus.picks_input import (
    pickedBox,
    referenceMicrographs,
)
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    SPACING,
    judgeScores,
)
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import (
    ScoredItem,
    appendScored,
    createScoredSets,
    iterScored,
)
from deepconsensus_plugin.protocols.screen.screen_stages import (
    ScreenStages,
    boxFrameOfScreen,
    masksFolder,
    stackFolder,
)

ACCEPTED, SCORED = "", "Scored"
"""Suffixes of the outputs."""

PRELIMINARY = "Preliminary: it grows, and is replaced when all inputs are closed."

Outputs = dict[str, SetOfCoordinates | SetOfParticles]


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
    """

    candidates: Candidates
    positions: IntArray
    networks: EnsembleScores
    acceptance: Acceptance
    isWhole: BoolArray
    firstId: int = 1
    generalModel: FloatArray | None = None

    def items(self, protocol: Protocol, suffix: str) -> Iterator[ScoredItem]:
        """Yield what belongs to the outputs of a suffix; one object is reused."""
        accepted = self.positions[self.acceptance.accepted]
        accepted = set((accepted + self.firstId).tolist())
        micrographs = referenceMicrographs(protocol)
        for item in iterScored(
            _numbered(candidate_items(micrographs, self.candidates), self.firstId),
            self.candidates.take(self.positions),
            self.positions,
            self.acceptance.score,
            self.networks,
            isWhole=self.isWhole,
            reason=self.acceptance.reason,
            generalModel=self.generalModel,
        ):
            if suffix == SCORED or item.coordinate.getObjId() in accepted:
                yield item


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


def _numbered(items: Iterator[Coordinate], firstId: int) -> Iterator[Coordinate]:
    for number, item in enumerate(items, start=firstId):
        item.setObjId(number)
        yield item


def createOutputs(protocol: Protocol, *, phaseFlipped: bool) -> Outputs:
    """Return all outputs, empty, by name.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    phaseFlipped : bool
        Whether the particles are.
    """
    outputs = {}
    for suffix in (ACCEPTED, SCORED):
        coordinates = protocol._createSetOfCoordinates(
            protocol.inputCoordinates[0].get().getMicrographs(asPointer=True), suffix
        )
        coordinates.setBoxSize(pickedBox(protocol))
        outputs |= createScoredSets(
            protocol, coordinates, phaseFlipped=phaseFlipped, suffix=suffix
        )
    return outputs


def fillOutputs(
    protocol: Protocol, outputs: Outputs, found: ScreenScores, suffix: str
) -> None:
    """Append what was scored to the outputs of a suffix, as far as it belongs there."""
    frame = boxFrameOfScreen(protocol)
    appendScored(
        found.items(protocol, suffix),
        outputs[f"outputCoordinates{suffix}"],
        outputs.get(f"outputParticles{suffix}"),
        stacks=stackFolder(protocol),
        scale=frame.scale,
        ctfs=frame.read_ctfs(),
    )


def makeOutputs(
    protocol: Protocol, found: ScreenScores, *, phaseFlipped: bool, observed: str
) -> Outputs:
    """Return the outputs of the end by name, filled.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    found : ScreenScores
        Everything.
    phaseFlipped : bool
        Whether the particles are.
    observed : str
        File to write who looked where.
    """
    outputs = createOutputs(protocol, phaseFlipped=phaseFlipped)
    for suffix in (ACCEPTED, SCORED):
        coordinates = outputs[f"outputCoordinates{suffix}"]
        known = observed_in(found.candidates, masks=masksFolder(protocol))
        write_observed(coordinates, observed, known)
        fillOutputs(protocol, outputs, found, suffix)
    return outputs


class GrowingOutputs:
    """Outputs that batch after batch is appended to.

    A new run begins them anew, with the batches that an interrupted one left, so that
    no candidate is lost or there twice.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    phaseFlipped : bool
        Whether the particles are.
    """

    def __init__(self, protocol: Protocol, *, phaseFlipped: bool):
        self._protocol = protocol
        self._outputs = createOutputs(protocol, phaseFlipped=phaseFlipped)
        self._nextId = 1

    def append(self, stages: ScreenStages) -> None:
        """Append the candidates of a batch, with the scores that networks gave them."""
        candidates = read_candidates(stages.files.candidates)
        positions, networks = stages.files.read_scores()
        accepted, isWhole = judgeForm(
            self._protocol, candidates.take(positions), networks.mean
        )
        found = ScreenScores(
            *(candidates, positions, networks, accepted, isWhole),
            firstId=self._nextId,
        )
        self._nextId += len(candidates)
        for items in self._outputs.values():
            items.enableAppend()
        for suffix in (ACCEPTED, SCORED):
            fillOutputs(self._protocol, self._outputs, found, suffix)
        for name, items in self._outputs.items():
            items.setObjComment(PRELIMINARY)
            self._protocol._updateOutputSet(name, items, state=Set.STREAM_OPEN)

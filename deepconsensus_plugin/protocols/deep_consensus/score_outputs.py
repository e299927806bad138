# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of *score particles*: scored candidates, and their particles."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfCoordinates, SetOfParticles
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.protocols.deep_consensus.candidate_areas import masksOfInput
from deepconsensus_plugin.protocols.deep_consensus.coordinates_info import (
    copyCoordinatesInfo,
)
from deepconsensus_plugin.protocols.deep_consensus.score_stages import (
    boxFrameOfScoring,
    preprocessingOf,
)
from deepconsensus_plugin.protocols.deep_consensus.scored_rows import ScoredRows
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import (
    appendScored,
    createScoredSets,
)


def makeOutputs(
    protocol: Protocol, scored: ScoredRows, candidates: Candidates
) -> dict[str, SetOfCoordinates | SetOfParticles]:
    """Return the outputs by name, filled.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScore`.
    scored : ScoredRows
        What `scoredRows` returns.
    candidates : Candidates
        Those that were scored.
    """
    frame = boxFrameOfScoring(protocol)
    coordinates = protocol._createSetOfCoordinates(
        frame.coordinates.getMicrographs(asPointer=True)
    )
    copyCoordinatesInfo(
        *(coordinates, frame.coordinates, protocol._getFileName("observed")),
        *(candidates, masksOfInput(protocol)),
    )
    flipped = preprocessingOf(protocol).phase_flip
    outputs = createScoredSets(protocol, coordinates, phaseFlipped=flipped)
    appendScored(
        scored,
        coordinates,
        outputs.get("outputParticles"),
        stacks=Path(protocol._getFileName("stacks")),
        scale=frame.scale,
        ctfs=frame.read_ctfs(),
    )
    return outputs

# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of *deep consensus*, empty and filled.

There are two of each kind: what is accepted, under the plain name, and all that was
scored, for another threshold. They hold the same items, with the same ids.
"""

from __future__ import annotations

from pwem.objects import SetOfCoordinates, SetOfParticles
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import observed_in, write_observed
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.protocols.consensus.picks_input import (
    pickedBox,
    pickPointers,
)
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import (
    appendScored,
    createScoredSets,
)
from deepconsensus_plugin.protocols.screen.screen_scores import (
    ACCEPTED,
    SCORED,
    ScreenScores,
)
from deepconsensus_plugin.protocols.screen.screen_stages import (
    boxFrameOfScreen,
    masksFolder,
    stackFolder,
)

Outputs = dict[str, SetOfCoordinates | SetOfParticles]


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
            pickPointers(protocol)[0].get().getMicrographs(asPointer=True), suffix
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


def makeOutputs(protocol: Protocol, found: ScreenScores, *, observed: str) -> Outputs:
    """Return the outputs of the end by name, filled.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusScreen`.
    found : ScreenScores
        Everything.
    observed : str
        File to write who looked where.
    """
    card = load_card_of(protocol.modelFolder(), EnsembleCard)
    outputs = createOutputs(protocol, phaseFlipped=card.preprocessing.phase_flip)
    for suffix in (ACCEPTED, SCORED):
        coordinates = outputs[f"outputCoordinates{suffix}"]
        known = observed_in(found.candidates, masks=masksFolder(protocol))
        write_observed(coordinates, observed, known)
        fillOutputs(protocol, outputs, found, suffix)
    return outputs

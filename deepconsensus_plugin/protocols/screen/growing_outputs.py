# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of *deep consensus* that grow while its inputs do."""

from __future__ import annotations

from pyworkflow.object import Set
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.protocols.screen.screen_outputs import (
    createOutputs,
    fillOutputs,
)
from deepconsensus_plugin.protocols.screen.screen_scores import (
    ACCEPTED,
    SCORED,
    ScreenScores,
    judgeForm,
)
from deepconsensus_plugin.protocols.screen.screen_stages import ScreenStages

PRELIMINARY = "Preliminary: it grows, and is replaced when all inputs are closed."


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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of *select by score*: what is kept, and what is rejected."""

from __future__ import annotations

from pwem.objects import SetOfCoordinates, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Pointer

from deepconsensus_plugin.convert import append_rows
from deepconsensus_plugin.core.reasons import Reason, in_words
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.protocols.deep_consensus.coordinates_info import (
    copyCoordinatesInfo,
)
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.set_columns import read_id_array

KEPT, REJECTED = "", "Rejected"
"""Suffixes of the outputs."""

Outputs = dict[str, SetOfParticles | SetOfCoordinates]


def splitCandidates(
    protocol: ProtParticles, source: SelectionInput, reason: IntArray
) -> Outputs:
    """Return new sets by output name; some may be empty.

    Parameters
    ----------
    protocol : ProtParticles
        A `ProtDeepConsensusSelect`.
    source : SelectionInput
        Its input.
    reason : array, shape (n,), int
        Codes of `Reason`: why candidates are rejected, in the order of their ids.
    """
    ids = read_id_array(source.candidates)
    is_kept = reason == Reason.ACCEPTED
    outputs = {}
    for suffix, chosen in ((KEPT, is_kept), (REJECTED, ~is_kept)):
        sets = _createSets(protocol, source, suffix)
        parts = source.parts(ids[chosen], in_words(reason[chosen]))
        for kind, rows in parts.items():
            if kind + suffix in sets:
                append_rows(sets[kind + suffix], rows)
        outputs |= sets
    return outputs


def _createSets(
    protocol: ProtParticles, source: SelectionInput, suffix: str
) -> Outputs:
    """Return the empty sets of one side, as far as the input allows."""
    sets = {}
    template = source.coordinates
    if template is not None:
        micrographs = template.getMicrographs(asPointer=True)
        coordinates = protocol._createSetOfCoordinates(micrographs, suffix)
        copyCoordinatesInfo(
            coordinates, template, protocol._getExtraPath("observed.json")
        )
        sets["outputCoordinates" + suffix] = coordinates
    if source.particles is not None:
        particles = protocol._createSetOfParticles(suffix)
        particles.copyInfo(source.particles)
        if template is not None:
            pointer = Pointer(protocol, extended="outputCoordinates" + suffix)
            particles.setCoordinates(pointer)
        sets["outputParticles" + suffix] = particles
    return sets

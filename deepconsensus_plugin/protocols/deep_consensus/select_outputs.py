# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of *select by score*: what is kept, and what is rejected."""

from __future__ import annotations

from pwem.objects import Particle, SetOfCoordinates, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Pointer, String

from deepconsensus_plugin.constants import REASON_ATTRIBUTE
from deepconsensus_plugin.convert import set_attribute
from deepconsensus_plugin.protocols.deep_consensus.coordinates_info import (
    copyCoordinatesInfo,
)
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)

KEPT, REJECTED = "", "Rejected"
"""Suffixes of the outputs."""

Outputs = dict[str, SetOfParticles | SetOfCoordinates]


def splitCandidates(
    protocol: ProtParticles, source: SelectionInput, reasons: dict[int, str]
) -> Outputs:
    """Return new sets by output name; some may be empty.

    Parameters
    ----------
    protocol : ProtParticles
        A `ProtDeepConsensusSelect`.
    source : SelectionInput
        Its input.
    reasons : dict of int to str
        Why a candidate is rejected, by its id; an empty word if it is kept.
    """
    outputs = {}
    for suffix in (KEPT, REJECTED):
        outputs.update(_createSets(protocol, source, suffix))
    for kind, part in source.parts():
        word = reasons[part.getObjId()]
        target = outputs.get(kind + (REJECTED if word else KEPT))
        if target is not None:
            set_attribute(part, REASON_ATTRIBUTE, String, word)
            if isinstance(part, Particle) and part.hasCoordinate():
                own = part.getCoordinate()
                set_attribute(own, REASON_ATTRIBUTE, String, word)
            target.append(part)
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles of a selection, cut out where they are kept.

*Score particles* gives every candidate a score, and *select by score* knows which are
kept; the form of the first tells how they are cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfParticles
from pyworkflow.object import Pointer, String
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import REASON_ATTRIBUTE
from deepconsensus_plugin.convert import (
    BoxFrame,
    ItemRows,
    candidates_and_items,
    places_of_candidates,
)
from deepconsensus_plugin.core.acceptance.places import are_off_border
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.requests import StackOptions
from deepconsensus_plugin.core.deep_consensus.stacks import StackRequest
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.protocols.deep_consensus.scored_rows import ScoredRows
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import (
    appendParticles,
    createParticles,
)
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.set_columns import read_id_array


@dataclass(frozen=True)
class ParticleCutting:
    """Boxes of a run, and how they are written.

    Parameters
    ----------
    frame : BoxFrame
        Coordinates, and the micrographs that boxes are cut from.
    stacks : StackOptions
        Its folder is that of the run.
    isPhaseFlipped : bool
        Whether phases are flipped.
    overBorder : bool
        Whether boxes may leave the micrograph.
    """

    frame: BoxFrame
    stacks: StackOptions
    isPhaseFlipped: bool
    overBorder: bool


def cuttingOf(items: Pointer) -> ParticleCutting | None:
    """Return how particles are cut at scored coordinates; None if nothing tells.

    Parameters
    ----------
    items : Pointer
        Output of *score particles*, or of a selection from it.
    """
    pointer: Pointer | None = items
    while pointer is not None and pointer.hasValue():
        run = pointer.getObjValue()
        if (getCutting := getattr(run, "getParticleCutting", None)) is not None:
            return getCutting()
        source = getattr(run, "scoredItems", None)
        pointer = source() if source is not None else None
    return None


def cutParticles(
    protocol: Protocol, cutting: ParticleCutting, kept: IntArray
) -> SetOfParticles:
    """Return a set of the particles at some coordinates, whose stacks are written.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusSelect`, whose output the set will be.
    cutting : ParticleCutting
        Of the run that scored the coordinates.
    kept : array, shape (n,), int
        Ids of the coordinates, ascending. Those whose box leaves the micrograph, or
        whose micrograph cannot be cut, get no particle.
    """
    folder = Path(protocol._getExtraPath())
    stacks = replace(cutting.stacks, folder=folder / "particles")
    coordinates = protocol.inputCoordinates.get()
    frame = replace(cutting.frame, coordinates=coordinates)
    micrographs = frame.read_usable()
    candidates, positions = candidates_and_items(coordinates)
    ids = read_id_array(coordinates)[positions]
    chosen = np.isin(ids, kept) & candidates.are_on({each.name for each in micrographs})
    places = places_of_candidates(
        candidates, coordinates.getMicrographs(), box_size=coordinates.getBoxSize()
    )
    chosen &= are_off_border(places, Spacing(over_border=cutting.overBorder))
    candidates, ids = candidates.take(chosen), ids[chosen]
    path = folder / "coordinates.h5"
    write_coordinates(path, candidates.coordinates(scale=frame.scale))
    if len(candidates):
        request = StackRequest(
            *(micrographs, path, frame.box_size, stacks, cutting.isPhaseFlipped),
            workers=protocol.numberOfThreads.get(),
        )
        jobsIn(folder, protocol)(request)
    particles = createParticles(protocol, frame, phaseFlipped=cutting.isPhaseFlipped)
    appendParticles(
        _rowsOf(coordinates, candidates, ids),
        particles,
        stacks=stacks.folder,
        scale=frame.scale,
        ctfs=frame.read_ctfs(),
    )
    return particles


def _rowsOf(
    coordinates: SetOfCoordinates, candidates: Candidates, ids: IntArray
) -> ScoredRows:
    """Return items that are candidates, whose stacks are in the order of these."""
    micrograph = candidates.micrograph_index
    index = np.arange(len(ids)) - np.searchsorted(micrograph, micrograph) + 1
    rows = np.argsort(ids)
    items = ItemRows.of_set(coordinates, ids[rows])
    return ScoredRows(
        items.with_attribute(REASON_ATTRIBUTE, String, [""] * len(ids)),
        *(candidates.yx[rows], candidates.micrographs),
        *(micrograph[rows], index[rows], np.ones(len(ids), dtype=bool)),
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scored sets: coordinates with their scores, and the particles at them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pwem.objects import (
    Coordinate,
    CTFModel,
    Particle,
    SetOfCoordinates,
    SetOfParticles,
)
from pwem.protocols import ProtParticles
from pyworkflow.object import Pointer

from deepconsensus_plugin.constants import (
    AREA_DISTANCE_ATTRIBUTE,
    AVERAGE_AMPLITUDE_ATTRIBUTE,
    AVERAGE_ATTRIBUTE,
    AVERAGE_CORRELATION_ATTRIBUTE,
    GENERAL_MODEL_ATTRIBUTE,
    LOOKS_LIKE_ATTRIBUTE,
    NETWORK_SCORE_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    REASON_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.convert import (
    BoxFrame,
    Column,
    ItemRows,
    append_rows,
    moved_rows,
    with_optics_group,
)
from deepconsensus_plugin.core.deep_consensus.requests import stack_path
from deepconsensus_plugin.protocols.deep_consensus.scored_rows import ScoredRows

_ON_PARTICLES = (
    *(SCORE_ATTRIBUTE, NETWORK_SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE),
    *(GENERAL_MODEL_ATTRIBUTE, VOTES_ATTRIBUTE, PICKERS_ATTRIBUTE, REASON_ATTRIBUTE),
    *(AVERAGE_ATTRIBUTE, AVERAGE_AMPLITUDE_ATTRIBUTE, AVERAGE_CORRELATION_ATTRIBUTE),
    *(LOOKS_LIKE_ATTRIBUTE, AREA_DISTANCE_ATTRIBUTE),
)
"""Attributes that particles have themselves, so that tables of particles show them;
their coordinates have all."""


def appendScored(
    scored: ScoredRows,
    coordinates: SetOfCoordinates,
    particles: SetOfParticles | None,
    *,
    stacks: Path,
    scale: float,
    ctfs: Mapping[str, CTFModel],
) -> None:
    """Append every scored item, and its particle if it has one.

    Parameters
    ----------
    scored : ScoredRows
        See `scoredRows`.
    coordinates, particles : SetOfCoordinates and SetOfParticles
        Outputs that are being made; no particles where no stacks were written.
    stacks : Path
        Folder of the stacks.
    scale : float
        Pixels of the particles per pixel of the coordinates. Scipion wants a particle's
        own coordinate in the particle's pixels.
    ctfs : mapping of micrograph name to CTFModel
        Attached to the particles: of the micrographs of all items, or none.
    """
    append_rows(coordinates, scored.items)
    if particles is not None:
        appendParticles(scored, particles, stacks=stacks, scale=scale, ctfs=ctfs)


def appendParticles(
    scored: ScoredRows,
    particles: SetOfParticles,
    *,
    stacks: Path,
    scale: float,
    ctfs: Mapping[str, CTFModel],
) -> None:
    """Append the particle of every scored item that has one; see `appendScored`."""
    chosen = scored.take(scored.hasParticle)
    if len(chosen.items):
        append_rows(particles, _particleRows(chosen, stacks, scale, ctfs))


def _particleRows(
    scored: ScoredRows, stacks: Path, scale: float, ctfs: Mapping[str, CTFModel]
) -> ItemRows:
    """Return the particles of scored coordinates; the scores are their own too."""
    given = scored.items
    if scale != 1:
        given = moved_rows(given, scale * scored.yx)
    particle = Particle()
    particle.setMicId(0)
    particle.setCoordinate(given.item)
    copyScores(given.item, particle)
    paths = [str(stack_path(stacks, name)) for name in scored.micrographs]
    columns: dict[str, Column] = {
        "_index": scored.index,
        "_filename": np.array(paths, dtype=object)[scored.micrograph],
    }
    if ctfs:
        particle.setCTF(ctfs[scored.micrographs[scored.micrograph[0]]])
        columns |= _ctfColumns(scored, ctfs)
    own = {"_micId": "_micId", **{name: name for name in _ON_PARTICLES}}
    return given.within(particle, "_coordinate.", own).with_columns(columns)


def _ctfColumns(scored: ScoredRows, ctfs: Mapping[str, CTFModel]) -> dict[str, Column]:
    """Return the attributes of the CTFs of the particles, by their names there."""
    used = np.unique(scored.micrograph)
    known = [ctfs[scored.micrographs[number]].getObjDict() for number in used.tolist()]
    row = np.searchsorted(used, scored.micrograph)
    return {
        f"_ctfModel.{name}": np.array([each.get(name) for each in known], object)[row]
        for name in known[0]
    }


def copyScores(coordinate: Coordinate, particle: Particle) -> None:
    """Give a particle what is known of its coordinate, as tables of particles show."""
    for name in _ON_PARTICLES:
        if (value := getattr(coordinate, name, None)) is not None:
            setattr(particle, name, value.clone())


def createScoredSets(
    protocol: ProtParticles,
    coordinates: SetOfCoordinates,
    *,
    phaseFlipped: bool,
    suffix: str = "",
) -> dict[str, SetOfCoordinates | SetOfParticles]:
    """Return the empty outputs for scored items, by name.

    Parameters
    ----------
    protocol : ProtParticles
        Its form says whether there are particles, what they are cut from, and whether
        they have CTFs.
    coordinates : SetOfCoordinates
        The output of coordinates, empty.
    phaseFlipped : bool
        Whether the particles are.
    suffix : str
        Suffix of the names of the outputs.
    """
    outputs = {f"outputCoordinates{suffix}": coordinates}
    if not protocol.writeStacks:
        return outputs
    frame = BoxFrame(
        coordinates, protocol.getInputMicrographs(), protocol.ctfRelations.get()
    )
    particles = createParticles(
        protocol, frame, phaseFlipped=phaseFlipped, suffix=suffix
    )
    return {**outputs, f"outputParticles{suffix}": particles}


def createParticles(
    protocol: ProtParticles, frame: BoxFrame, *, phaseFlipped: bool, suffix: str = ""
) -> SetOfParticles:
    """Return an empty set of particles, which belong to the coordinates of a suffix.

    Parameters
    ----------
    protocol : ProtParticles
        Whose output it will be.
    frame : BoxFrame
        What the particles are cut from.
    phaseFlipped : bool
        Whether they are.
    suffix : str
        Suffix of the names of the outputs.
    """
    particles = protocol._createSetOfParticles(suffix)
    particles.setAcquisition(
        with_optics_group(
            frame.micrographs.getAcquisition(),
            frame.coordinates.getMicrographs().getSamplingRate(),
        )
    )
    particles.setSamplingRate(frame.micrographs.getSamplingRate())
    particles.setHasCTF(frame.ctfs is not None)
    particles.setIsPhaseFlipped(phaseFlipped)
    particles.setCoordinates(Pointer(protocol, extended=f"outputCoordinates{suffix}"))
    return particles

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scored sets: the scores of a job, joined to the items of the input set.

A job works micrograph by micrograph and has a row per candidate; a set may hold its
items in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pwem.objects import (
    Coordinate,
    CTFModel,
    Particle,
    SetOfCoordinates,
    SetOfParticles,
)
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Pointer, String

from deepconsensus_plugin.constants import (
    AREA_DISTANCE_ATTRIBUTE,
    AVERAGE_AMPLITUDE_ATTRIBUTE,
    AVERAGE_ATTRIBUTE,
    AVERAGE_CORRELATION_ATTRIBUTE,
    GENERAL_MODEL_ATTRIBUTE,
    LOOKS_LIKE_ATTRIBUTE,
    NETWORK_SCORE_ATTRIBUTE,
    PICKER_SCORE_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    REASON_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.convert import (
    AveragedItems,
    scaled_item,
    set_area_distance,
    set_attribute,
    with_optics_group,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.requests import stack_path
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.kinds import kinds_in_words
from deepconsensus_plugin.core.reasons import in_words
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_ON_PARTICLES = (
    *(SCORE_ATTRIBUTE, NETWORK_SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE),
    *(GENERAL_MODEL_ATTRIBUTE, VOTES_ATTRIBUTE, PICKERS_ATTRIBUTE, REASON_ATTRIBUTE),
    *(AVERAGE_ATTRIBUTE, AVERAGE_AMPLITUDE_ATTRIBUTE, AVERAGE_CORRELATION_ATTRIBUTE),
    *(LOOKS_LIKE_ATTRIBUTE, AREA_DISTANCE_ATTRIBUTE),
)
"""Attributes that particles have themselves, so that tables of particles show them;
their coordinates have all."""


class ScoredItem(NamedTuple):
    """One scored coordinate; `index` counts from 1 in its micrograph's stack.

    A particle is written of it if `hasParticle`.
    """

    coordinate: Coordinate
    micrograph: str
    index: int
    hasParticle: bool


def iterScored(
    items: Iterable[Coordinate],
    candidates: Candidates,
    positions: IntArray,
    score: FloatArray,
    networks: EnsembleScores,
    *,
    isWhole: BoolArray,
    reason: IntArray | None = None,
    generalModel: FloatArray | None = None,
    averaged: AveragedItems | None = None,
) -> Iterator[ScoredItem]:
    """Yield the items that were scored, with their scores as attributes.

    Parameters
    ----------
    items : iterable of Coordinate
        Scored items, with ids. One object may be reused, as by `iterItems`.
    candidates : Candidates
        Candidates given to the job, n rows.
    positions : array, shape (n,), int
        Which item each candidate is, from 0 in their order. Items that are not there
        were left out, and are passed over.
    score : array, shape (n,)
        Score that a threshold applies to, 0 - 1.
    networks : EnsembleScores
        Scores from the job, n rows.
    isWhole : array, shape (n,), bool
        Which candidates can be particles: their box does not leave the micrograph, or
        may leave it.
    reason : array, shape (n,), int, optional
        Codes of `Reason`, for an attribute of the items. None: they get none.
    generalModel : array, shape (n,), optional
        Log-odds of the general model, likewise. None, or NaN alone: they get none.
    averaged : AveragedItems, optional
        What averages tell of the candidates, by row, likewise; what they look like is
        told with `score` for the probability of each.

    Raises
    ------
    ValueError
        If there are more or fewer scores than candidates.
    """
    if not len(score) == len(networks.mean) == len(candidates):
        raise ValueError(
            f"expected {len(candidates)} scores, one for each candidate, received "
            f"{len(score)} and {len(networks.mean)} of the networks. Restart the run, "
            "so that all are scored again"
        )
    columns = {
        SCORE_ATTRIBUTE: score,
        NETWORK_SCORE_ATTRIBUTE: networks.mean,
        SPREAD_ATTRIBUTE: networks.spread,
    }
    if generalModel is not None and not np.isnan(generalModel).all():
        columns[GENERAL_MODEL_ATTRIBUTE] = generalModel
    texts = {} if reason is None else {REASON_ATTRIBUTE: in_words(reason)}
    if averaged is not None:
        kind = averaged.likeness(candidates, score).kind
        texts[LOOKS_LIKE_ATTRIBUTE] = kinds_in_words(kind)
    rows = {position: row for row, position in enumerate(positions.tolist())}
    micrographs = candidates.micrograph_index
    indices = np.arange(len(candidates)) - np.searchsorted(micrographs, micrographs) + 1
    for position, item in enumerate(items):
        if (row := rows.get(position)) is None:
            continue
        for name, values in columns.items():
            setattr(item, name, Float(float(values[row])))
        if item.getAttributeValue(PICKERS_ATTRIBUTE):
            # RELION's plugin reads it. What has no provenance keeps its picker's own.
            setattr(item, PICKER_SCORE_ATTRIBUTE, Float(float(score[row])))
        for name, words in texts.items():
            set_attribute(item, name, String, words[row])
        if averaged is not None:
            averaged.describe(item, row)
        set_area_distance(item, candidates.area_distance_px[row])
        name = candidates.micrographs[micrographs[row]]
        yield ScoredItem(item, name, int(indices[row]), bool(isWhole[row]))


def appendScored(
    scored: Iterable[ScoredItem],
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
    scored : iterable of ScoredItem
        See `iterScored`.
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
    particle = Particle()
    for item in scored:
        coordinates.append(item.coordinate)
        if particles is None or not item.hasParticle:
            continue
        _fillParticle(particle, item, stack_path(stacks, item.micrograph))
        if scale != 1:
            particle.setCoordinate(scaled_item(item.coordinate, scale))
        if ctfs:
            particle.setCTF(ctfs[item.micrograph])
        particles.append(particle)


def _fillParticle(particle: Particle, item: ScoredItem, stack: Path) -> None:
    """Make `particle` the one of a scored coordinate; the scores are its own too."""
    coordinate = item.coordinate
    particle.setObjId(coordinate.getObjId())
    particle.setLocation(item.index, str(stack))
    particle.setMicId(coordinate.getMicId())
    particle.setCoordinate(coordinate)
    copyScores(coordinate, particle)


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
    micrographs = protocol.getInputMicrographs()
    particles = protocol._createSetOfParticles(suffix)
    particles.setAcquisition(
        with_optics_group(
            micrographs.getAcquisition(),
            coordinates.getMicrographs().getSamplingRate(),
        )
    )
    particles.setSamplingRate(micrographs.getSamplingRate())
    particles.setHasCTF(protocol.ctfRelations.get() is not None)
    particles.setIsPhaseFlipped(phaseFlipped)
    particles.setCoordinates(Pointer(protocol, extended=f"outputCoordinates{suffix}"))
    return {**outputs, f"outputParticles{suffix}": particles}

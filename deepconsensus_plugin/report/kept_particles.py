# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles of a given set that a selection kept, as the STAR that they came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.particle_files.writing import write_kept_particles
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.protocols.consensus.protocol_import_particles import (
    ProtImportParticleStacks,
)
from deepconsensus_plugin.report.scored import scores_given_particles
from deepconsensus_plugin.set_columns import read_id_array


def find_particle_scores(protocols: Sequence[Protocol]) -> Protocol | None:
    """Return the run that scored given particles; None if there is none."""
    return next((each for each in protocols if scores_given_particles(each)), None)


def kept_particles(selected: Protocol, n_given: int) -> BoolArray:
    """Return which particles, by their ids from 1, a selection kept."""
    kept = np.zeros(n_given, dtype=bool)
    found = getattr(selected, "outputParticles", None)
    if found is not None:
        kept[read_id_array(found) - 1] = True
    return kept


def write_kept(path: Path, scored: Protocol, selected: Protocol) -> tuple[int, int]:
    """Write the rows of the given file that were kept; return their number, and of all.

    Raises
    ------
    ValueError
        If the particles do not come from *import particles*, so that there is no file.
    """
    given = scored.inputCoordinates
    imported = given.getObjValue()
    if not isinstance(imported, ProtImportParticleStacks):
        raise ValueError(
            f"{scored.getRunName()}: its particles come from {imported}, not from "
            "*import particles*; export the kept set with Scipion's own protocols"
        )
    kept = kept_particles(selected, given.get().getSize())
    write_kept_particles(path, imported.getPath(), kept)
    return int(kept.sum()), len(kept)

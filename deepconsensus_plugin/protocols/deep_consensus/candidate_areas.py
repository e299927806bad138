# SPDX-License-Identifier: GPL-3.0-or-later
"""Usable area for candidates whose set does not know it: masks are made for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pwem.objects import SetOfMicrographs
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import masks_of, micrographs_from_set
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.pipeline.mask import place_in_areas
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.workflow.masks import make_masks
from deepconsensus_plugin.protocols.deep_consensus.unusable_micrographs import (
    withBadMicrographs,
)
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn


def masksOfInput(protocol: Protocol) -> Path | None:
    """Return the folder of the masks: those that the input knows, or the run's own.

    None where the files of the micrographs are gone, so that none can be made.
    """
    coordinates = protocol.inputCoordinates.get()
    known = masks_of(coordinates)
    if known is not None or not _areThere(coordinates.getMicrographs()):
        return known
    return chainFilesOf(protocol).masks


def withAreas(
    protocol: Protocol, candidates: Candidates, cut: Iterable[Micrograph]
) -> Candidates:
    """Return candidates that know bad micrographs and their distance to unusable area.

    Those of *consensus of picks* know the distance. For others, masks are made as a
    job.

    Parameters
    ----------
    protocol : Protocol
        Has `inputCoordinates`, with a box size, and threads.
    candidates : Candidates
        Those of the input.
    cut : iterable of Micrograph
        Micrographs that boxes are cut from; bad ones are found there too.
    """
    return withBadMicrographs(protocol, _placed(protocol, candidates), cut)


def _placed(protocol: Protocol, candidates: Candidates) -> Candidates:
    coordinates = protocol.inputCoordinates.get()
    masks = masksOfInput(protocol)
    if masks is None or masks_of(coordinates) is not None:
        return candidates
    names = {*candidates.micrographs}
    micrographs = micrographs_from_set(coordinates.getMicrographs())
    bad = make_masks(
        [each for each in micrographs if each.name in names],
        masks,
        box_size=coordinates.getBoxSize(),
        workers=protocol.numberOfThreads.get(),
        run_job=jobsIn(masks.parent, protocol),
    )
    known = {*candidates.bad_micrographs, *bad}
    placed = place_in_areas(candidates, masks)
    return replace(placed, bad_micrographs=tuple(sorted(known)))


def _areThere(micrographs: SetOfMicrographs) -> bool:
    return all(Path(each.getFileName()).exists() for each in micrographs.iterItems())

# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks that *deep consensus* makes for itself, where no sets of picks are chosen."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import micrographs_from_set, refresh
from deepconsensus_plugin.core.workflow.automatic import (
    automatic_requests,
    read_automatic,
)
from deepconsensus_plugin.protocols.consensus.picks_input import OWN_PICKS
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.estimated_diameter import diameterOf
from deepconsensus_plugin.protocols.shared.input_checks import describeBadMicrographs
from deepconsensus_plugin.protocols.shared.picks_output import createPicksSet
from deepconsensus_plugin.protocols.shared.skipped_micrographs import leftOutOf


def picksForMe(protocol: Protocol) -> bool:
    """Return whether a form leaves the picking to the run."""
    return not len(protocol.inputCoordinates)


def makePicks(protocol: Protocol) -> None:
    """Pick the micrographs of a form, when they are complete, and keep the sets."""
    while refresh(protocol.inputMicrographs):
        protocol._streamingSleepOnWait()
    given = protocol.inputMicrographs.get()
    micrographs = micrographs_from_set(given, left_out=leftOutOf(protocol, given))
    areDark = not protocol.skipInvert
    diameter = diameterOf(protocol, micrographs, areDark=areDark)
    folder = Path(protocol._getExtraPath("pickers"))
    requests = automatic_requests(
        micrographs,
        folder,
        diameter_A=diameter,
        particles_dark=areDark,
        workers=protocol.numberOfThreads.get(),
    )
    for request in requests.values():
        place = request.result.parent
        place.mkdir(parents=True, exist_ok=True)
        jobsIn(place, protocol)(request)
    found = read_automatic(requests, diameter_A=diameter)
    for name, picks in zip(OWN_PICKS, found, strict=True):
        coordinates = createPicksSet(
            protocol,
            picks,
            observed=protocol._getExtraPath(f"{name}.json"),
            suffix=name.removeprefix("output"),
        )
        protocol._defineOutputs(**{name: coordinates})
        protocol._defineSourceRelation(protocol.inputMicrographs, coordinates)


def describeMissingMicrographs(protocol: Protocol) -> list[str]:
    """Return what is wrong with the micrographs that are to be picked."""
    micrographs = protocol.inputMicrographs.get()
    if micrographs is None:
        return [
            "Picks: choose the sets of picks of at least two pickers, or leave them "
            "empty and choose Micrographs, to be picked."
        ]
    errors = describeBadMicrographs(micrographs)
    given = protocol.particleDiameter.get()
    if given is not None and not given > 0:
        errors.append(f"Particle diameter (Å): it must be above 0, received {given:g}.")
    return errors

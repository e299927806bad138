# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulation parameters, as chosen on the form of *simulate micrographs*."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.simulation import (
    Contamination,
    Phantom,
    SimulationParameters,
    Structure,
)
from deepconsensus_plugin.protocols.simulation.simulate_form import (
    CONTAMINATION,
    CROWD,
    EXPOSURE,
    ICE,
    MICROGRAPHS,
    OPTICS,
    REQUEST,
    STRUCTURES,
)

_OF_A_KIND = ("film_variety", "ice_variety")
"""Fractions of a contaminant, which do not grow with its amount."""

_PARTS = (REQUEST, MICROGRAPHS, CROWD, OPTICS, EXPOSURE, ICE)


def simulationParameters(protocol: Protocol) -> SimulationParameters:
    """Return what the form asks for.

    Raises
    ------
    ValueError
        If a number is out of its range, or a structure is neither a file nor built in.
    """
    voxelSize = STRUCTURES.value_of("voxel_size_A", protocol)
    names = (protocol.structures.get() or "").split(",")
    return MICROGRAPHS.read(
        protocol,
        shape=(protocol.rows.get() or protocol.size.get(), protocol.size.get()),
        structures=tuple(
            structureNamed(name, voxelSize) for name in names if name.strip()
        ),
        optics=OPTICS.read(protocol),
        exposure=EXPOSURE.read(protocol),
        ice=ICE.read(protocol),
        crowd=CROWD.read(protocol),
        contamination=_contamination(protocol, voxelSize),
    )


def describeBadSimulation(protocol: Protocol) -> list[str]:
    """Return what is wrong with the form, a sentence each."""
    errors = [error for part in _PARTS for error in part.describe_bad(protocol)]
    if errors:
        return errors
    try:
        simulationParameters(protocol)
    except ValueError as error:
        return [f"Particles: {error}."]
    return []


def _contamination(protocol: Protocol, voxelSize: float | None) -> Contamination:
    """Return what misleads pickers, all amounts times the factor of the form."""
    factor = protocol.contamination.get()
    values = CONTAMINATION.values(protocol)
    amounts = {
        field: amount if field in _OF_A_KIND else factor * amount
        for field, amount in values.items()
    }
    name = (protocol.secondProtein.get() or "").strip()
    return Contamination(
        **amounts | {"carbon_probability": min(amounts["carbon_probability"], 1.0)},
        second_protein=structureNamed(name, voxelSize) if name else None,
    )


def structureNamed(name: str, voxelSize: float | None) -> Structure:
    """Return the structure that a word on the form names: a shape, or a file."""
    shapes = {phantom.value: phantom for phantom in Phantom}
    word = name.strip()
    if word.lower() in shapes:
        return Structure(shapes[word.lower()])
    path = Path(word).expanduser()
    if not path.is_file():
        raise ValueError(
            f"{word} is neither an existing file nor one of {', '.join(shapes)}"
        )
    return Structure(path=path.resolve(), voxel_size_A=voxelSize)

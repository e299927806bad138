# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a chosen set of coordinates, one sentence per fault."""

from __future__ import annotations

from pwem.objects import SetOfCoordinates
from pyworkflow.protocol import Protocol


def describeLost(label: str, coordinates: SetOfCoordinates | None) -> list[str]:
    """Return a sentence if the set does not know its micrographs any more."""
    if coordinates is None or coordinates.getMicrographs() is not None:
        return []
    return [
        f"{label}: the set has lost its micrographs; choose the set of the protocol "
        "that made it."
    ]


def describeEmpty(label: str, coordinates: SetOfCoordinates) -> list[str]:
    """Return a sentence if there is nothing in the set."""
    if not coordinates.isEmpty():
        return []
    return [f"{label}: the set is empty; choose one with coordinates."]


def describeNoBox(label: str, coordinates: SetOfCoordinates) -> list[str]:
    """Return a sentence if the set has no box size."""
    if coordinates.getBoxSize():
        return []
    return [f"{label}: the set has no box size; import the coordinates again with one."]


def describeBadThreads(protocol: Protocol) -> list[str]:
    """Return a sentence if there is no thread to work with."""
    if protocol.numberOfThreads.get() >= 1:
        return []
    return ["Threads: there must be 1 or more."]

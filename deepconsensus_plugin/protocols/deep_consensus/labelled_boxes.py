# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes of labelled sets: coordinates on micrographs, or particles in their stacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pwem.objects import SetOfCTF, SetOfMicrographs
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import (
    coordinates_from_set,
    micrographs_from_set,
    stacks_from_set,
)
from deepconsensus_plugin.core.deep_consensus.requests import BoxSource
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.networks.card import EXTENT_TOLERANCE
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.protocols.deep_consensus.training_sets import LabelledSet

Coordinates = dict[str, ScoredCoordinates]


@dataclass(frozen=True)
class BoxReader:
    """Reader of labelled sets, by the choices of a form.

    Parameters
    ----------
    extentA : float
        Side of a box of the positives, Å.
    other : SetOfMicrographs, optional
        Micrographs to cut, instead of those that coordinates lie on.
    ctfs : SetOfCTF, optional
        CTFs of the micrographs.
    flipsPhases : bool
        Whether boxes are phase-flipped.
    areStacksDark, areMicrographsDark : bool
        Whether particles are darker than the background.
    """

    extentA: float
    other: SetOfMicrographs | None
    ctfs: SetOfCTF | None
    flipsPhases: bool
    areStacksDark: bool
    areMicrographsDark: bool
    _known: dict[str, tuple[Micrograph, ...]] = field(default_factory=dict)

    def read(self, chosen: LabelledSet) -> tuple[tuple[Micrograph, ...], Coordinates]:
        """Return the micrographs of a set, or its stacks, and the boxes there."""
        if chosen.areParticles:
            stacks = stacks_from_set(
                chosen.items,
                extent_A=self.extentA,
                are_dark=self.areStacksDark,
                is_dark_usual=self.areMicrographsDark,
            )
            return stacks.micrographs, stacks.coordinates
        lying = self.other or chosen.micrographs
        if (key := lying.getFileName()) not in self._known:
            self._known[key] = micrographs_from_set(lying, ctfs=self.ctfs)
        return self._known[key], coordinates_from_set(chosen.items, micrographs=lying)

    def micrographs(self, sets: Iterable[LabelledSet]) -> list[tuple[Micrograph, ...]]:
        """Return the micrographs and stacks of all sets, in their order."""
        return [self.read(chosen)[0] for chosen in sets]

    def write(self, protocol: Protocol, chosen: LabelledSet, path: Path) -> None:
        """Write the boxes of a set that can be used; what is left out is logged."""
        micrographs, found = self.read(chosen)
        known = {m.name for m in micrographs if self._isUsable(m)}
        kept = {name: here for name, here in found.items() if name in known}
        nLeftOut = sum(map(len, found.values())) - sum(map(len, kept.values()))
        if nLeftOut:
            what = "particles" if chosen.areParticles else "coordinates"
            whose = "they" if chosen.areParticles else "their micrographs"
            protocol.warning(
                f"{chosen.name}: {nLeftOut} {what} left out, since {whose} have no CTF"
            )
        write_coordinates(path, kept)

    def _isUsable(self, micrograph: Micrograph) -> bool:
        isDone = micrograph.images is not None and micrograph.images.is_flipped
        return not self.flipsPhases or isDone or micrograph.ctf is not None


def sourceOf(chosen: LabelledSet, path: Path) -> BoxSource:
    """Return a set as the training job takes it; `path` is that of its boxes."""
    return BoxSource(
        name=chosen.name,
        coordinates=path,
        is_particle=chosen.isParticle,
        weight=chosen.weight,
        role=chosen.role,
        believed=chosen.isBelieved,
    )


def canFlipAll(sets: Iterable[LabelledSet], ctfs: SetOfCTF | None) -> bool:
    """Return whether the phases of all boxes can be flipped."""
    return all(
        chosen.items.isPhaseFlipped() or chosen.items.hasCTF()
        if chosen.areParticles
        else ctfs is not None
        for chosen in sets
    )


def describeBadStacks(
    sets: Iterable[LabelledSet], *, extentA: float, flipsPhases: bool
) -> list[str]:
    """Return what is wrong with sets of particles, a sentence each.

    Parameters
    ----------
    sets : iterable of LabelledSet
        All chosen sets.
    extentA : float
        Side of the boxes that the network sees, Å.
    flipsPhases : bool
        Whether they are phase-flipped.
    """
    errors = []
    for chosen in sets:
        if chosen.areParticles:
            errors += describeBadImages(
                chosen.name, chosen.items, extentA=extentA, flipsPhases=flipsPhases
            )
    return errors


def describeBadImages(
    name: str, particles, *, extentA: float, flipsPhases: bool
) -> list[str]:
    """Return why images of particles cannot be used, a sentence each."""
    errors, rate = [], particles.getSamplingRate()
    shownA = particles.getXDim() * rate
    if shownA < (1 - EXTENT_TOLERANCE) * extentA:
        errors.append(
            f"{name}: its images show {shownA:.0f} Å, and the others {extentA:.0f} Å; "
            f"extract them with a box of {extentA / rate:.0f} px."
        )
    if particles.isPhaseFlipped() and not flipsPhases:
        errors.append(
            f"{name}: its phases are flipped, and those of the others are not. Choose "
            "the CTFs of all of them, or particles without flipped phases."
        )
    return errors

# SPDX-License-Identifier: GPL-3.0-or-later
"""Input picks of a form, and the checks of them.

Forms that have the parameters of `consensus_form` share it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import picks_from_set
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.protocols.consensus.consensus_form import CONSENSUS
from deepconsensus_plugin.protocols.consensus.picker_names import pickerNames
from deepconsensus_plugin.protocols.consensus.picker_origins import trainedOn
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeLargeBox,
    describeLost,
    describeOtherPixelSize,
)
from deepconsensus_plugin.protocols.shared.skipped_micrographs import leftOutOf

OWN_PICKS = ("outputPicksGaussians", "outputPicksCorrelation", "outputPicksGeneral")
"""Outputs of a run that picks for itself, in the order of `core.workflow.automatic`."""


def referenceMicrographs(protocol: Protocol) -> SetOfMicrographs:
    """Return the micrographs of the first set: results lie on them."""
    return pickPointers(protocol)[0].get().getMicrographs()


def pickPointers(protocol: Protocol) -> list[Pointer]:
    """Return pointers to the sets of picks: those chosen, or those the run made."""
    return list(protocol.inputCoordinates) or list(ownPicks(protocol))


def ownPicks(protocol: Protocol) -> Iterator[Pointer]:
    """Yield pointers to the picks that a run has made for itself, if there are any."""
    for name in OWN_PICKS:
        if protocol.hasAttribute(name):
            yield Pointer(protocol, extended=name)


def readPicks(protocol: Protocol) -> list[PickerPicks]:
    """Return the picks of every input, in pixels of the reference."""
    micrographs = referenceMicrographs(protocol)
    pointers = pickPointers(protocol)
    names = pickerNames(pointers)
    columns = zip(pointers, names, trainedOn(pointers, names), strict=True)
    left_out = leftOutOf(protocol, micrographs)
    return [
        replace(
            _without(
                picks_from_set(pointer.get(), picker=name, micrographs=micrographs),
                left_out,
            ),
            trained_on=tuple(teachers),
        )
        for pointer, name, teachers in columns
    ]


def _without(picks: PickerPicks, left_out: Collection[str]) -> PickerPicks:
    """Return picks that are not on some micrographs."""
    every = picks.coordinates.items()
    kept = {name: own for name, own in every if name not in left_out}
    return replace(picks, coordinates=kept)


def readUnwanted(protocol: Protocol) -> PickerPicks | None:
    """Return the picks to leave out, in pixels of the reference; None without."""
    unwanted = protocol.subtractCoordinates.get()
    if unwanted is None:
        return None
    micrographs = referenceMicrographs(protocol)
    picks = picks_from_set(unwanted, picker="unwanted", micrographs=micrographs)
    return _without(picks, leftOutOf(protocol, micrographs))


def consensusRules(protocol: Protocol) -> ConsensusRules:
    """Return the rules that were chosen on the form."""
    return CONSENSUS.read(protocol)


def pickedBox(protocol: Protocol) -> int:
    """Return the box of the candidates, in pixels of the reference."""
    reference = referenceMicrographs(protocol).getSamplingRate()
    sets = [pointer.get() for pointer in pickPointers(protocol)]
    return consensusRules(protocol).box_for(
        items.getBoxSize() * items.getMicrographs().getSamplingRate() / reference
        for items in sets
    )


def describeBadPicks(protocol: Protocol) -> list[str]:
    """Return what is wrong with the picks and the rules, a sentence each."""
    errors = []
    for pointer in protocol.inputCoordinates:
        name = str(pointer.getObjValue())
        errors += _describeBadSet(pointer.get(), name, protocol.boxSize.get())
    errors += _describeLargeBox(protocol)
    errors += describeLost("Exclude picks near", protocol.subtractCoordinates.get())
    errors += CONSENSUS.describe_bad(protocol)
    if protocol.minPickers.get() > len(protocol.inputCoordinates):
        errors.append(
            "Minimum pickers agreeing: it must be at most "
            f"{len(protocol.inputCoordinates)}, the number of sets, or 0."
        )
    return errors


def _describeLargeBox(protocol: Protocol) -> list[str]:
    sets = [pointer.get() for pointer in protocol.inputCoordinates]
    if None in sets or not sets or describeLost("", sets[0]):
        return []
    return describeLargeBox(
        "Box size", protocol.boxSize.get(), sets[0].getMicrographs()
    )


def describeOnePicker(protocol: Protocol) -> list[str]:
    """Return a sentence if there is nothing that could confirm the picks."""
    if len(protocol.inputCoordinates) != 1:
        return []
    return [
        "Picks: with a single set, no pick is confirmed by another picker. Choose the "
        "picks of at least two pickers, or an existing model to score these with."
    ]


def describeOtherPixelSizeOfPicks(protocol: Protocol) -> list[str]:
    """Return a sentence if headers of the reference say another pixel size."""
    first = next(iter(protocol.inputCoordinates), None)
    if first is None or first.get() is None:
        return []
    return describeOtherPixelSize(first.get().getMicrographs())


def _describeBadSet(
    coordinates: SetOfCoordinates | None, name: str, boxSize: int | None
) -> list[str]:
    if coordinates is None:
        return []  # Scipion reports it
    if lost := describeLost(f"Picks: {name}", coordinates):
        return lost
    if not coordinates.getBoxSize() and boxSize is None:
        return [f"Picks: {name} has no box size; give one (Advanced)."]
    box = coordinates.getBoxSize()
    return describeLargeBox(f"Picks: {name}", box, coordinates.getMicrographs())

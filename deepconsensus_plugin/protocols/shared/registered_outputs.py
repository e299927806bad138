# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration of the outputs of a run, and of what they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pwem.objects import EMSet
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.protocols.shared.continuation import emptyStaleOutputs


def registerOutputs(
    protocol: Protocol, outputs: Mapping[str, EMSet], sources: Iterable[Pointer]
) -> None:
    """Register all outputs of a run, each as made from all sources.

    Parameters
    ----------
    protocol : Protocol
        In its last step; outputs that an earlier run had beside these are emptied.
    outputs : mapping of str to EMSet
        Filled sets by the names of the outputs.
    sources : iterable of Pointer
        Inputs; empty pointers are passed over. CTFs that the form names are one, too.
    """
    ctfs = getattr(protocol, "ctfRelations", None)
    given = {id(each): each for each in (*sources, ctfs) if each is not None}
    used = [pointer for pointer in given.values() if pointer.get() is not None]
    emptyStaleOutputs(protocol, outputs)
    protocol._defineOutputs(**outputs)
    for items in outputs.values():
        for pointer in used:
            protocol._defineSourceRelation(pointer, items)

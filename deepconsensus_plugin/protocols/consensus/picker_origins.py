# SPDX-License-Identifier: GPL-3.0-or-later
"""Origins of pickers: what a picker learnt from, as Scipion knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyworkflow.object import Pointer, Set
from pyworkflow.protocol import Protocol

_CONSENSUS = "ProtDeepConsensusPicks"


def trainedOn(pointers: Sequence[Pointer], names: Sequence[str]) -> list[list[str]]:
    """Return of each set the names of the others that its picker was trained on.

    Parameters
    ----------
    pointers : sequence of Pointer
        Sets of coordinates, as the inputs of a consensus.
    names : sequence of str
        Names of their pickers.
    """
    nameOf = {
        pointer.getUniqueId(): name
        for pointer, name in zip(pointers, names, strict=True)
        if isinstance(pointer.getObjValue(), Protocol)
    }
    found = []
    for pointer in pointers:
        own = pointer.getUniqueId()
        origins = {each.getUniqueId() for each in _origins(pointer.getObjValue())}
        found.append([n for key, n in nameOf.items() if key in origins and key != own])
    return found


def learntFromConsensus(run: Protocol) -> bool:
    """Return whether the model that a run picks with learnt what pickers agree on."""
    return any(
        each.getObjValue().getClassName() == _CONSENSUS for each in _origins(run)
    )


def _origins(run: object) -> Iterator[Pointer]:
    """Yield pointers to all that the model of a picking run was made from.

    What a run picks with is whatever it takes that is not a set.
    """
    if not isinstance(run, Protocol):
        return
    ahead = [each for each in _inputs(run) if not isinstance(each.get(), Set)]
    seen = set()
    while ahead:
        pointer = ahead.pop()
        if pointer.getUniqueId() in seen:
            continue
        seen.add(pointer.getUniqueId())
        yield pointer
        ahead += _inputs(pointer.getObjValue())


def _inputs(run: Protocol) -> list[Pointer]:
    """Return the pointers of a run that lead to other runs."""
    return [
        pointer
        for _, pointer in run.iterInputAttributes()
        if isinstance(pointer.getObjValue(), Protocol)
    ]

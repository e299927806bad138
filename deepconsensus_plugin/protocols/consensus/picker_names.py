# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the pickers of a consensus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyworkflow.object import Pointer

from deepconsensus_plugin.constants import LIST_SEPARATOR
from deepconsensus_plugin.convert import read_observed


def pickerNames(pointers: Iterable[Pointer]) -> list[str]:
    """Return a name of its own for the picker of each set of coordinates.

    A set that knows its single picker (imported picks) is called after it, any other
    after the run that made it. Equal names are numbered by the age of the runs, so that
    the order of `pointers` does not matter.
    """
    pointers = list(pointers)
    oldestFirst = sorted(range(len(pointers)), key=lambda i: _age(pointers[i]))
    names = distinctNames([_pickerName(pointers[i]) for i in oldestFirst])
    byPosition = dict(zip(oldestFirst, names, strict=True))
    return [byPosition[i] for i in range(len(pointers))]


def _age(pointer: Pointer) -> tuple[int, str]:
    return pointer.getObjValue().getObjId() or 0, pointer.getExtended()


def _pickerName(pointer: Pointer) -> str:
    known = read_observed(pointer.get())
    if known is not None and len(known.pickers) == 1:
        return known.pickers[0]
    run = pointer.getObjValue()
    label = getattr(run, "getRunName", run.getObjLabel)()
    return (label or run.getClassName()).replace(LIST_SEPARATOR, ",")


def distinctNames(names: Sequence[str]) -> list[str]:
    """Return the names, those that come again with a number: ``topaz (2)``."""
    taken: set[str] = set()
    distinct = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name} ({number})"
        taken.add(candidate)
        distinct.append(candidate)
    return distinct

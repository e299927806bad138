# SPDX-License-Identifier: GPL-3.0-or-later
"""Averages that a run made of its candidates, in the order of its items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfParticles
from pyworkflow.object import Pointer
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.averages.table import AveragesTable, read_averages
from deepconsensus_plugin.core.io.arrays import read_array_file
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.set_columns import read_ids

_IDS = "ids.npy"
"""File of *average candidates*: ids of the items of its rows."""


@dataclass(frozen=True, eq=False)
class RunAverages:
    """Averages of the candidates of a run.

    Parameters
    ----------
    path : Path
        File of the averages.
    table : AveragesTable
        Its content, the candidates in the order of the ids of the run's items.
    """

    path: Path
    table: AveragesTable


def hasAverages(protocol: Protocol) -> bool:
    """Return whether a run has averaged its candidates, and is at its end."""
    return protocol.isFinished() and chainFilesOf(protocol).averages.is_file()


def countAverages(protocol: Protocol) -> int:
    """Return the number of averages of a run that `hasAverages`."""
    return len(read_averages(chainFilesOf(protocol).averages).images)


def readRunAverages(protocol: Protocol) -> RunAverages:
    """Return the averages of a run that `hasAverages`.

    Raises
    ------
    ValueError
        If the file has another number of candidates than the run.
    """
    files = chainFilesOf(protocol)
    table, items = read_averages(files.averages), averagedItems(protocol)
    row = _rowsOfItems(files, read_ids(items), len(table.average))
    taken = table.take(np.maximum(row, 0))
    known = replace(taken, average=np.where(row < 0, -1, taken.average))
    return RunAverages(files.averages.absolute(), known)


def _rowsOfItems(files: ChainFiles, ids: Sequence[int], n: int) -> IntArray:
    """Return the row of each item in the file of averages; -1 for one without.

    *Average candidates* keeps the ids of its rows. What scores candidates keeps which
    item of its input each of them was, and all of these are its output.
    """
    if (own := files.folder / _IDS).is_file():
        numbers = read_array_file(own, "ids", kinds="iu").tolist()
        rows = {number: row for row, number in enumerate(numbers)}
        return np.array([rows.get(number, -1) for number in ids], dtype=np.intp)
    if n != len(ids):
        raise ValueError(
            f"{files.averages}: expected {len(ids)} candidates, received {n}. Restart "
            "the run"
        )
    if not files.positions.is_file():
        return np.arange(n)
    return np.argsort(files.read_positions(), kind="stable")


def averagedCoordinates(protocol: Protocol) -> SetOfCoordinates:
    """Return the coordinates of all candidates of a run that `hasAverages`."""
    of_one_form = getattr(protocol, "outputCoordinatesScored", None)
    return protocol.outputCoordinates if of_one_form is None else of_one_form


def averagedItems(protocol: Protocol) -> SetOfCoordinates | SetOfParticles:
    """Return what a run that `hasAverages` tells of.

    Its coordinates, or its particles where it averaged the images of given ones.
    """
    if getattr(protocol, "usedImages", False):
        return protocol.outputParticles
    return averagedCoordinates(protocol)


def findAveragingRun(coordinates: Pointer, project: Project) -> Protocol | None:
    """Return the run whose averages tell of coordinates; None if there is none.

    Parameters
    ----------
    coordinates : Pointer
        Output of the run, or of a selection from it: their items have the same ids.
    project : Project
        Loaded.
    """
    pointer: Pointer | None = coordinates
    while pointer is not None and pointer.get() is not None:
        run = pointer.getObjValue()
        if not isinstance(run, Protocol):
            run = project.getProtocol(pointer.get().getObjParentId())
        if run is None or hasAverages(run):
            return run
        pointer = _selectedFrom(run)
    return None


def _selectedFrom(run: Protocol) -> Pointer | None:
    """Return the input of a run that passes items on with their ids."""
    if (scoredItems := getattr(run, "scoredItems", None)) is not None:
        return scoredItems()
    source = getattr(run, "inputCoordinates", None)
    return source if isinstance(source, Pointer) else None

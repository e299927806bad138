# SPDX-License-Identifier: GPL-3.0-or-later
"""Selections of a project, and the runs that led to each."""

from __future__ import annotations

from collections.abc import Iterator

from pyworkflow.object import Pointer
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import NO_SELECTION
from deepconsensus_plugin.protocols.consensus.protocol_evaluate import ProtEvaluatePicks
from deepconsensus_plugin.protocols.deep_consensus.protocol_score import (
    ProtDeepConsensusScore,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_select import (
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.screen.protocol_screen import (
    ProtDeepConsensusScreen,
)
from deepconsensus_plugin.report.reported_run import PICKERS

SCORERS = (ProtDeepConsensusScore, ProtDeepConsensusScreen)
SELECTORS = (ProtDeepConsensusSelect, ProtDeepConsensusScreen)


def find_selections(project: Project) -> list[Protocol]:
    """Return the finished selections of a project, the oldest first."""
    finished = [
        run
        for run in project.getRuns()
        if isinstance(run, SELECTORS) and run.isFinished()
    ]
    return sorted(finished, key=Protocol.getObjId)


def _ends_with_picks(project: Project) -> bool:
    """Return whether a network has picked in a project."""
    runs = project.getRuns()
    return any(run.isFinished() and run.getClassName() in PICKERS for run in runs)


def find_selection(project: Project, name: str | None = None) -> Protocol:
    """Return a finished selection of a project, the newest one of those with a name.

    Parameters
    ----------
    project : Project
        Loaded.
    name : str, optional
        Name of the run or its number; any if None.

    Raises
    ------
    ValueError
        If there is none; the message lists those that there are.
    """
    selections = find_selections(project)
    found = [
        selection
        for selection in selections
        if name in (None, selection.getRunName(), selection.strId())
    ]
    if found:
        return found[-1]
    folder = project.getPath()
    if not selections and _ends_with_picks(project):
        raise ValueError(
            f"{folder}: nothing was selected there, only picked. A report is of a "
            "selection by *select by score* or *deep consensus*."
        )
    if not selections:
        raise ValueError(NO_SELECTION.format(folder=folder))
    names = ", ".join(repr(each.getRunName()) for each in selections)
    raise ValueError(f"No finished selection {name!r} in {folder}; it has {names}.")


def find_related(project: Project, selected: Protocol) -> list[Protocol]:
    """Return what led to a selection, itself, and a comparison of it with the truth.

    In the order in which they were made.

    Raises
    ------
    ValueError
        If neither *score particles* nor *deep consensus* is among them.
    """
    found = _with_sources(project, [selected])
    scored = [run for run in found.values() if isinstance(run, SCORERS)]
    if not scored:
        raise ValueError(
            f"{selected.getRunName()}: expected a run of *score particles* or *deep "
            "consensus* that it selects from, received none"
        )
    comparisons = [
        run
        for run in project.getRuns()
        if isinstance(run, ProtEvaluatePicks)
        and run.isFinished()
        and run.inputCoordinates.get().getObjParentId() == scored[0].getObjId()
    ]
    found |= _with_sources(project, comparisons)
    return [found[number] for number in sorted(found)]


def _with_sources(project: Project, runs: list[Protocol]) -> dict[int, Protocol]:
    """Return runs and all that their input comes from, by their numbers."""
    found: dict[int, Protocol] = {}
    waiting = list(runs)
    while waiting:
        run = waiting.pop()
        if run.getObjId() not in found:
            found[run.getObjId()] = run
            waiting += _sources(project, run)
    return found


def _sources(project: Project, run: Protocol) -> Iterator[Protocol]:
    """Yield the runs that the input of a run comes from.

    A comparison with the truth serves every selection of its candidates; which of them
    it was made with does not matter.
    """
    for name, pointer in run.iterInputAttributes():
        if name == "inputAccepted":
            continue
        source = pointer.getObjValue() if isinstance(pointer, Pointer) else None
        if source is not None and not isinstance(source, Protocol):
            source = project.getProtocol(source.getObjParentId())
        if isinstance(source, Protocol):
            yield source

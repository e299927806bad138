# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of any selection of a project, including those made in the GUI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyworkflow.object import Pointer
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import NO_SELECTION
from deepconsensus_plugin.convert import (
    candidates_and_items,
    observed_in,
    paths_by_name,
    shapes_by_name,
)
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.protocols.consensus.protocol_evaluate import ProtEvaluatePicks
from deepconsensus_plugin.protocols.deep_consensus.acceptance import spacingOf
from deepconsensus_plugin.protocols.deep_consensus.protocol_score import (
    ProtDeepConsensusScore,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_select import (
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.protocols.screen.protocol_screen import (
    ProtDeepConsensusScreen,
)
from deepconsensus_plugin.report.costs import read_cost
from deepconsensus_plugin.report.html_report import write_html_report
from deepconsensus_plugin.report.reported_run import (
    PICKERS,
    collect_run,
    write_run_picture,
)
from deepconsensus_plugin.report.scored import (
    ScoredCandidates,
    read_scored,
    scored_coordinates,
)
from deepconsensus_plugin.set_columns import read_ids

SCORERS = (ProtDeepConsensusScore, ProtDeepConsensusScreen)
SELECTORS = (ProtDeepConsensusSelect, ProtDeepConsensusScreen)


def write_selection_report(
    project: Project,
    selected: Protocol,
    path: Path,
    *,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write a report of a selection, and of all runs that led to it.

    Parameters
    ----------
    project : Project
        Loaded; its folder is the working directory.
    selected : Protocol
        A finished *select by score*, or *deep consensus*.
    path : Path
        The file; replaced if it is there.
    settings : mapping, optional
        Settings of the command that made the project, if one did.

    Raises
    ------
    ValueError
        If nothing that was scored is behind the selection.
    """
    protocols = find_related(project, selected)
    costs = {
        run.getRunName(): read_cost(Path(run.getWorkingDir()), run) for run in protocols
    }
    name = f"{project.getShortName()}, {selected.getRunName()}"
    run = collect_run(name, protocols, costs)
    picture = path.with_suffix(".png")
    write_run_picture(picture, run)
    write_html_report(path, run, picture=picture, settings=settings)
    picture.unlink()


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


@dataclass(frozen=True, eq=False)
class SelectedCandidates:
    """Candidates of a selection, n, with what else a program needs to know of them.

    Parameters
    ----------
    name : str
        Name of the selection.
    scored : ScoredCandidates
        All candidates that were scored.
    is_offered : array, shape (n,), bool
        Which of them the selection chose from.
    spacing : Spacing
        Where accepted particles may lie.
    box_size : int
        Pixels.
    sampling_rate : float
        Å/px.
    observed : tuple of str
        Micrographs that any picker was run on.
    shapes : dict of str to tuple of int
        Rows and columns of the micrographs whose files are there.
    paths : dict of str to Path
        Files of the micrographs, links followed.
    """

    name: str
    scored: ScoredCandidates
    is_offered: BoolArray
    spacing: Spacing
    box_size: int
    sampling_rate: float
    observed: tuple[str, ...]
    shapes: dict[str, tuple[int, int]]
    paths: dict[str, Path]


def read_selection(project: Project, selected: Protocol) -> SelectedCandidates:
    """Return the candidates of a finished selection, and what became of them.

    Raises
    ------
    ValueError
        If nothing that was scored is behind it.
    """
    related = find_related(project, selected)
    scored_by = next(run for run in related if isinstance(run, SCORERS))
    coordinates = scored_coordinates(scored_by)
    scored = read_scored(scored_by, selected)
    offered = coordinates
    if isinstance(selected, ProtDeepConsensusSelect):
        offered = SelectionInput.of(selected.scoredItems().get()).candidates
    _, item = candidates_and_items(coordinates)
    ids = np.array(read_ids(coordinates))[item]
    micrographs = coordinates.getMicrographs()
    observed = observed_in(scored.candidates).observed
    return SelectedCandidates(
        selected.getRunName(),
        scored,
        np.isin(ids, read_ids(offered)),
        spacingOf(selected),
        coordinates.getBoxSize(),
        micrographs.getSamplingRate(),
        tuple(name for name, pickers in observed.items() if pickers),
        shapes_by_name(micrographs),
        paths_by_name(micrographs),
    )


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

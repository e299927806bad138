# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of any selection of a project, including those made in the GUI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.report.costs import read_cost
from deepconsensus_plugin.report.html_report import write_html_report
from deepconsensus_plugin.report.reported_run import collect_run, write_run_picture
from deepconsensus_plugin.report.selections import find_related


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

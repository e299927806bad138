# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of a selection, written in its own process and opened in a browser."""

from __future__ import annotations

import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.protocols.deep_consensus.protocol_select import (
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.shared.report_link import reportPath
from deepconsensus_plugin.report.selections import find_selections

_NO_SELECTION = (
    "There is no finished selection to report on. Create a particle set first, and "
    "wait until it is finished."
)


@dataclass(frozen=True)
class ReportTask:
    """A report to be written; needs no Scipion, so that any thread can do it.

    Parameters
    ----------
    project : Path
        Folder, absolute.
    selection : int
        Number of the run of *select by score* or *deep consensus*.
    path : Path
        The file, absolute.
    """

    project: Path
    selection: int
    path: Path

    def write_and_open(self) -> Iterator[str]:
        """Yield what is going on; at the end the report shows in a browser.

        Raises
        ------
        RuntimeError
            If the report cannot be written; says why.
        """
        yield "Writing the report; this takes a few seconds …"
        command = [sys.executable, "-m", "deepconsensus_plugin", "report"]
        command += [str(self.project), "--selection", str(self.selection)]
        command += ["--out", str(self.path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["unknown reason"]
            raise RuntimeError(f"the report was not written: {reason[0]}")
        opens = webbrowser.open(self.path.as_uri())
        yield f"Report{'' if opens else ', to be opened in a browser'}: {self.path}"


def plan_report(project: Project, run: Protocol) -> ReportTask | None:
    """Return the report of a selection, or of the last one of what a run scored.

    Parameters
    ----------
    project : Project
        Loaded.
    run : Protocol
        A selection, or what made the items that are selected from; *deep consensus*
        is both.

    Returns
    -------
    ReportTask or None
        None if no selection of it has finished.
    """
    if isinstance(run, ProtDeepConsensusSelect):
        selections = [run] if run.isFinished() else []
    else:
        number = run.getObjId()
        selections = [
            each
            for each in find_selections(project)
            if number in (each.getObjId(), _scored_by(each))
        ]
    if not selections:
        return None
    folder = Path(project.getPath()).absolute()
    path = folder / reportPath(selections[-1])
    return ReportTask(folder, selections[-1].getObjId(), path)


def open_report(project: Project, run: Protocol) -> str | Iterator[str]:
    """Return why there is no report, or else the messages of making and opening it."""
    task = plan_report(project, run)
    return _NO_SELECTION if task is None else task.write_and_open()


def _scored_by(selection: Protocol) -> int | None:
    """Return the number of the run that a selection is made from."""
    if not isinstance(selection, ProtDeepConsensusSelect):
        return None
    scored = selection.scoredItems().get()
    return None if scored is None else scored.getObjParentId()

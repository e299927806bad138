# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a finished run: ``summary.json``, ``scores.csv``, ``metrics.json``.

And ``picture.png``, the micrograph that shows most of both kinds of picks, and
``report.html``, all of it on one page, unless the run ends with picks. A run that
prunes given particles leaves ``particles.star`` instead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.commands.particle_summary import summarise_particles
from deepconsensus_plugin.commands.project import Protocols
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.serialisation import write_json
from deepconsensus_plugin.protocols.shared.report_link import reportPath
from deepconsensus_plugin.report.html_report import write_html_report
from deepconsensus_plugin.report.kept_particles import find_particle_scores
from deepconsensus_plugin.report.reported_run import collect_run, write_run_picture
from deepconsensus_plugin.report.scored import ScoredCandidates

SUMMARY, SCORES, METRICS = "summary.json", "scores.csv", "metrics.json"
PICTURE, REPORT = "picture.png", "report.html"


def write_summary(
    project: Project,
    protocols: Protocols,
    settings: RunSettings,
    costs: Mapping[str, StageCost],
) -> dict[str, Any]:
    """Write the files of a finished run into the project's folder.

    Returns
    -------
    dict
        What ``summary.json`` holds.
    """
    folder = Path(project.getPath())
    pruned = find_particle_scores([*protocols.values()])
    if pruned is not None:
        told = summarise_particles(folder, pruned, [*protocols.values()], costs)
        summary = {"settings": settings.to_plain(), **told}
        write_json(folder / SUMMARY, summary)
        return summary
    run = collect_run(folder.name, [*protocols.values()], costs)
    _write_scores(folder / SCORES, run.scored)
    write_run_picture(folder / PICTURE, run)
    files = {"score_file": SCORES, "picture_file": PICTURE}
    if run.figures is not None:
        text = json.dumps(run.figures, indent=1, allow_nan=False)
        write_text(folder / METRICS, text + "\n")
        files["metrics_file"] = METRICS
    plain = settings.to_plain()
    if run.selected is not None:
        page = folder / REPORT
        write_html_report(page, run, picture=folder / PICTURE, settings=plain)
        _link_report(page, run.selected)
        files["report_file"] = REPORT
    summary = {"settings": plain, **files, **run.summary}
    write_json(folder / SUMMARY, summary)
    return summary


def _write_scores(path: Path, scored: ScoredCandidates) -> None:
    """Write one row per candidate."""
    write_scores_csv(
        path,
        scored.candidates,
        score=scored.score,
        network_score=scored.network_score,
        spread=scored.spread,
        reason=scored.reason,
        general_model=scored.general_model,
        likeness=scored.likeness,
    )


def _link_report(path: Path, selected: Protocol) -> None:
    """Let the selection find its report; its summary leads there."""
    link = reportPath(selected).absolute()
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(path, link.parent))

# SPDX-License-Identifier: GPL-3.0-or-later
"""``report.html``: a finished run on one page that needs nothing beside itself."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path
from string import Template

from deepconsensus_plugin.commands.finished_run import FinishedRun
from deepconsensus_plugin.commands.html import Html, escape, join, paragraphs
from deepconsensus_plugin.commands.report_sections import write_sections
from deepconsensus_plugin.core.io.atomic import write_text

TEMPLATE = "report.html"


def write_html_report(path: Path, run: FinishedRun) -> None:
    """Write the report of a finished run.

    Parameters
    ----------
    path : Path
        The file; replaced if it is there.
    run : FinishedRun
        Its numbers, and where to read pictures.
    """
    template = files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    page = Template(template).substitute(
        title=escape(f"Deep consensus: {run.folder.name}"),
        subtitle=_subtitle(run),
        body=join(part for part in write_sections(run) if part),
    )
    write_text(path, page)


def _subtitle(run: FinishedRun) -> Html:
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    version = run.summary["versions"]["deepconsensus_plugin"]
    return paragraphs([f"{run.folder}", f"{now}, scipion-em-deepconsensus {version}"])

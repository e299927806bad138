# SPDX-License-Identifier: GPL-3.0-or-later
"""``report.html``: a finished run on one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.report.html import Html, escape, join, paragraphs
from deepconsensus_plugin.report.reported_run import ReportedRun
from deepconsensus_plugin.report.sections import write_sections

TEMPLATE = "report.html"


def write_html_report(
    path: Path,
    run: ReportedRun,
    *,
    picture: Path,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write the report of a finished run.

    Parameters
    ----------
    path : Path
        The file; replaced if it is there.
    run : ReportedRun
        Results of the run.
    picture : Path
        Picture of a micrograph, as `write_run_picture` makes it; taken into the page.
    settings : mapping, optional
        Settings of the command that ran it, as in ``summary.json``.
    """
    template = files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    page = Template(template).substitute(
        title=escape(f"Deep consensus: {run.name}"),
        subtitle=_subtitle(path, run),
        body=join(part for part in write_sections(run, picture, settings) if part),
    )
    write_text(path, page)


def _subtitle(path: Path, run: ReportedRun) -> Html:
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    version = run.summary["versions"]["deepconsensus_plugin"]
    return paragraphs([f"{path}", f"{now}, scipion-em-deepconsensus {version}"])

# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``report PROJECT``: any selection of a project on one page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deepconsensus_plugin.bootstrap import prepare_environment

HELP = "write the report of a project's last selection, or of another one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command."""
    parser.add_argument("project", type=Path, help="folder of a Scipion project")
    parser.add_argument(
        "--selection",
        metavar="NAME",
        help="name or number of a run of *select by score* or *deep consensus*; "
        "without it the last one",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="HTML file to write; without it one that the selection's summary in "
        "Scipion's window leads to",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the report; the exit status is 0 if it worked."""
    folder = arguments.project.expanduser().absolute()
    out = arguments.out.expanduser().absolute() if arguments.out else None
    try:
        prepare_environment()
        path = _write(folder, arguments.selection, out)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Report: {path}")
    return 0


def _write(folder: Path, name: str | None, out: Path | None) -> Path:
    # Scipion reads its environment when it is imported.
    from deepconsensus_plugin.commands.project import open_project, read_record
    from deepconsensus_plugin.protocols.shared.report_link import reportPath
    from deepconsensus_plugin.report.selection_report import write_selection_report
    from deepconsensus_plugin.report.selections import find_selection

    project = open_project(folder)
    selected = find_selection(project, name)
    path = out or reportPath(selected).absolute()
    settings = read_record(folder).get("settings")
    write_selection_report(project, selected, path, settings=settings)
    return path

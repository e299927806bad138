# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``run TEMPLATE name=value … --project DIR``: a workflow without the GUI."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.commands.run_help import overview_lines, template_lines
from deepconsensus_plugin.commands.settings import RunSettings, parse_settings
from deepconsensus_plugin.commands.stopping import ending_at_once
from deepconsensus_plugin.commands.template_texts import template_text

if TYPE_CHECKING:
    from deepconsensus_plugin.commands.node_server import NodeServer

HELP = "run a template headless, from micrographs to particles or picks"
_STOPPED = 130
_STOPPED_LINE = "stopped; the same command goes on from here"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command."""
    parser.usage = "%(prog)s TEMPLATE name=value … --project DIR (or: --help)"
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("words", nargs="*", metavar="TEMPLATE name=value")
    parser.add_argument("--project", type=Path)
    parser.add_argument("--skip-bad", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Run the workflow; the exit status is 0 if all of it worked."""
    names = [word for word in arguments.words if "=" not in word]
    try:
        if arguments.help:
            return _help(names)
        settings = _parse(arguments, names)
        with ending_at_once(_STOPPED_LINE):
            folder = arguments.project.expanduser().absolute()
            return _run(settings, folder, skip_bad=arguments.skip_bad)
    except BrokenPipeError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(_STOPPED_LINE, file=sys.stderr)
        return _STOPPED


def _help(names: list[str]) -> int:
    print("\n".join(template_lines(names[0]) if names else overview_lines()))
    return 0


def _parse(arguments: argparse.Namespace, names: list[str]) -> RunSettings:
    """Return the settings; ends with status 2 where the words are none."""
    if not names:
        arguments.refuse("name a template; run --help lists them")
    if len(names) > 1:
        arguments.refuse(
            f"expected one template and name=value words, received {', '.join(names)}"
        )
    template_text(names[0])  # a wrong name is told before what else is missing
    if arguments.project is None:
        arguments.refuse("--project DIR is needed: the folder of the Scipion project")
    words = [word for word in arguments.words if "=" in word]
    return parse_settings(names[0], words)


def _run(settings: RunSettings, folder: Path, *, skip_bad: bool = False) -> int:
    logging.basicConfig(format="%(message)s")
    logging.getLogger("deepconsensus_plugin").setLevel(logging.INFO)
    prepare_environment()
    from deepconsensus_plugin.commands.node_server import NodeServer

    server = NodeServer()
    # Scipion reads its environment when it is imported.
    from deepconsensus_plugin.commands.pixel_size import with_pixel_size
    from deepconsensus_plugin.commands.placing_work import check_places
    from deepconsensus_plugin.commands.project import project_folder
    from deepconsensus_plugin.commands.rehearsal import check_run
    from deepconsensus_plugin.commands.unreadable import unreadable_micrographs
    from deepconsensus_plugin.commands.workflow import build_nodes, with_absolute_paths

    check_places(settings)
    settings = with_absolute_paths(settings)
    left_out = unreadable_micrographs(settings) if skip_bad else {}
    whole, remarks = with_pixel_size(settings, left_out)
    nodes = build_nodes(whole)
    for remark in [*remarks, *check_run(nodes, left_out)]:
        print(remark, file=sys.stderr)
    with project_folder(folder):
        return _run_nodes(settings, nodes, folder, left_out, server)


def _run_nodes(
    settings: RunSettings,
    nodes: list[dict[str, Any]],
    folder: Path,
    left_out: dict[Path, str],
    server: NodeServer,
) -> int:
    """Run what is not finished in a project, and tell what came out."""
    from deepconsensus_plugin.commands.inputs import note_inputs
    from deepconsensus_plugin.commands.launcher import run_protocols
    from deepconsensus_plugin.commands.placing_work import place_work
    from deepconsensus_plugin.commands.printed_lines import report_lines, warning_lines
    from deepconsensus_plugin.commands.project import (
        RunFailedError,
        explained,
        load_protocols,
        open_run,
    )
    from deepconsensus_plugin.commands.summary import write_summary

    project = open_run(folder, settings)
    protocols = load_protocols(project, settings, nodes, left_out)
    place_work(project, protocols, settings)
    stale = note_inputs(folder, nodes, left_out)
    try:
        with ending_at_once(_STOPPED_LINE, then=server.cancel_queued):
            costs = run_protocols(project, protocols, stale, server)
    except RunFailedError:
        # What led to the failure is often a warning of an earlier stage.
        done = [project.getProtocol(each.getObjId()) for each in protocols.values()]
        for line in warning_lines(done):
            print(line, file=sys.stderr)
        raise
    with explained(folder):
        summary = write_summary(project, protocols, settings, costs)
    for line in report_lines(folder, summary, columns=_columns()):
        print(line)
    return 0


def _columns() -> int | None:
    """Return the width of the terminal; None where the output is a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

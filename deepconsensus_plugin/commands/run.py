# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``run TEMPLATE name=value … --project DIR``: a workflow without the GUI."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.commands.settings import parse_settings

HELP = "run a template headless, from micrographs to particles or picks"
_EPILOG = """
example:
  python -m deepconsensus_plugin run deep_consensus micrographs='DIR/*.mrc' \\
      samplingRate=3.54 picks=DIR1,DIR2,DIR3 boxSize=90 --project P

  python -m deepconsensus_plugin run pick_without_training \\
      micrographs='DIR/*.mrc' samplingRate=1.5 particleDiameter=120 --project P

  python -m deepconsensus_plugin run deep_consensus_demo --project P

settings, name=value:
  picks=DIR[:scale=0.5][:invertY=yes][:minScore=0.3],…  one folder a picker, named
                   after it; or a file with the picks of all micrographs
  truth=DIR        true coordinates to compare with
  preset=paper|fast
  stacks=no        score coordinates only, write no particle images
  any field of the template, and any parameter of its protocols' forms:
  consensusRadius, mergeRadius, minPickers (or all), nEpochs, nModels, threshold, …
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("template", help="name of a template, such as deep_consensus")
    parser.add_argument("settings", nargs="*", metavar="name=value")
    parser.add_argument(
        "--project",
        required=True,
        type=Path,
        help="folder of the Scipion project; the same command goes on where it stopped",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the workflow; the exit status is 0 if all of it worked."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("deepconsensus_plugin").setLevel(logging.INFO)
    try:
        settings = parse_settings(arguments.template, arguments.settings)
        prepare_environment()
        return _run(settings, arguments.project.expanduser().absolute())
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def _run(settings, folder: Path) -> int:
    # Scipion reads its environment when it is imported.
    from deepconsensus_plugin.commands.launcher import run_protocols
    from deepconsensus_plugin.commands.printed_lines import report_lines
    from deepconsensus_plugin.commands.project import load_protocols, open_run
    from deepconsensus_plugin.commands.summary import write_summary
    from deepconsensus_plugin.commands.workflow import build_nodes, with_absolute_paths

    settings = with_absolute_paths(settings)
    nodes = build_nodes(settings)
    project = open_run(folder, settings)
    protocols = load_protocols(project, settings, nodes)
    costs = run_protocols(project, protocols)
    summary = write_summary(project, protocols, settings, costs)
    for line in report_lines(folder, summary):
        print(line)
    return 0

# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``export PROJECT --format F --out DIR``: coordinates for other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.commands.exported import (
    Exported,
    FinishedRun,
    read_exported,
)
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.scores_csv import ScoreTable
from deepconsensus_plugin.core.pick_files.layouts import write_picks_folder
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_merged_picks
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import BoolArray, ScoredCoordinates

HELP = "write accepted coordinates with their scores for other programs"

_IN_ONE_FILE = [kind for kind in PickFormat.by_number() if kind.codec.write_merged]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command."""
    parser.add_argument(
        "project", type=Path, help="folder of a finished run, or of a Scipion project"
    )
    parser.add_argument(
        "--format",
        required=True,
        choices=[pick_format.value for pick_format in PickFormat],
        help=f"{_names(_IN_ONE_FILE)}: one file of all micrographs; others: a folder "
        "with one for each, as their program lays it out",
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    parser.add_argument(
        "--per-micrograph",
        action="store_true",
        help=f"{_names([kind for kind in _IN_ONE_FILE if kind.codec.write])}: one "
        "file for each micrograph (star: and autopick.star, which lists them)",
    )
    parser.add_argument(
        "--selection",
        metavar="NAME",
        help="name or number of a run of *select by score* or *deep consensus*, also "
        "one made in Scipion's window; without it the newest",
    )
    parser.add_argument(
        "--all", action="store_true", help="every candidate, not only accepted ones"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        help="accept this score or better instead; distances and all other criteria of "
        "the selection stay",
    )


def _names(formats: Sequence[PickFormat]) -> str:
    *first, last = (kind.value for kind in formats)
    return f"{', '.join(first)} and {last}"


def run(arguments: argparse.Namespace) -> int:
    """Export; the exit status is 0 if it worked."""
    out = arguments.out.expanduser().absolute()  # a project becomes the directory
    try:
        found = read_exported(arguments.project, arguments.selection)
        if arguments.threshold is not None:
            found = found.at(arguments.threshold)
        chosen = np.asarray(found.reason == Reason.ACCEPTED) | arguments.all
        files = export(
            out,
            best_first(found, chosen, found.run.observed),
            found.run,
            pick_format=PickFormat(arguments.format),
            per_micrograph=arguments.per_micrograph,
        )
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    where = files[0] if len(files) == 1 else f"{len(files)} files in {out}"
    of = f" of '{found.selection}'" if found.selection else ""
    print(f"{chosen.sum()} of {len(chosen)} coordinates{of}: {where}")
    return 0


def best_first(
    table: Exported | ScoreTable, chosen: BoolArray, observed: Sequence[str] = ()
) -> dict[str, ScoredCoordinates]:
    """Return the chosen rows by micrograph, best score first.

    All micrographs of the table, and those that were `observed`: where nothing was
    found is not the same as a micrograph that was not picked.
    """
    order = np.argsort(-table.score, kind="stable")
    rows = order[chosen[order]]
    return group_coordinates(
        [table.micrograph[row] for row in rows.tolist()],
        table.yx[rows],
        table.score[rows],
        micrographs=sorted({*table.micrograph, *observed}),
    )


def export(
    folder: Path,
    coordinates: Mapping[str, ScoredCoordinates],
    finished: FinishedRun,
    *,
    pick_format: PickFormat,
    per_micrograph: bool = False,
) -> list[Path]:
    """Write coordinates in a format, and return the files.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    coordinates : mapping of micrograph name to ScoredCoordinates
        Pixels.
    finished : FinishedRun
        The run that they come from.
    pick_format : PickFormat
        The format.
    per_micrograph : bool
        Whether formats that could hold all micrographs in one file get one for each.

    Raises
    ------
    ValueError
        If the format cannot be written so, or two micrographs would share a file.
    """
    if per_micrograph or pick_format.codec.write_merged is None:
        return write_picks_folder(
            folder, coordinates, box_size=finished.box_size, pick_format=pick_format
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"coordinates{pick_format.extension}"
    write_merged_picks(
        path,
        coordinates,
        box_size=finished.box_size,
        pick_format=pick_format,
        shapes=finished.shapes,
    )
    return [path]

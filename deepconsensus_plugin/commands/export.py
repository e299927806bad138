# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``export PROJECT --format F --out DIR``: coordinates for other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.commands.export_particles import export_particles
from deepconsensus_plugin.commands.exported import (
    Exported,
    FinishedRun,
    read_exported,
)
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.scores_csv import ScoreTable
from deepconsensus_plugin.core.pick_files.layouts import write_picks_folder
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_merged_picks
from deepconsensus_plugin.core.pick_files.relion_project import (
    RelionMicrographs,
    read_relion_micrographs,
    write_relion_particles,
)
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
        "--micrographs",
        type=Path,
        metavar="STAR",
        help="RELION's micrographs STAR (star only): coordinates go by its names of "
        "the micrographs, and a file of all carries its optics groups and CTFs; "
        "without it, names are paths from the working directory",
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
    start = Path.cwd()  # a project becomes the directory
    out = arguments.out.expanduser().absolute()
    arguments.project = arguments.project.expanduser().absolute()
    star = arguments.micrographs and arguments.micrographs.expanduser().absolute()
    try:
        known = _relion_micrographs(star, arguments.format)
        if (told := export_particles(arguments, out)) is not None:
            print(told)
            return 0
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
            start=start,
            micrographs=known,
        )
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    where = files[0] if len(files) == 1 else f"{len(files)} files in {out}"
    of = f" of '{found.selection}'" if found.selection else ""
    print(f"{chosen.sum()} of {len(chosen)} coordinates{of}: {where}")
    return 0


def _relion_micrographs(star: Path | None, kind: str) -> RelionMicrographs | None:
    if star is None:
        return None
    if PickFormat(kind) is not PickFormat.STAR:
        raise ValueError(f"--micrographs: it is of RELION; expected star, not {kind}")
    return read_relion_micrographs(star)


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
    start: Path | None = None,
    micrographs: RelionMicrographs | None = None,
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
    start : Path, optional
        Folder that paths of RELION's micrographs and files are from; None: this one.
    micrographs : RelionMicrographs, optional
        RELION's names of the micrographs, instead of their paths.

    Raises
    ------
    ValueError
        If the format cannot be written so, two micrographs would share a file, or
        RELION's micrographs are others.
    """
    start = start or Path.cwd()
    if pick_format is PickFormat.STAR:
        names = relion_names(coordinates, finished, start, micrographs)
        coordinates = {
            names[name]: picks for name, picks in coordinates.items() if name in names
        }
    if per_micrograph or pick_format.codec.write_merged is None:
        return write_picks_folder(
            folder,
            coordinates,
            box_size=finished.box_size,
            pick_format=pick_format,
            start=start,
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"coordinates{pick_format.extension}"
    if micrographs is not None:
        write_relion_particles(path, coordinates, micrographs)
        return [path]
    write_merged_picks(
        path,
        coordinates,
        box_size=finished.box_size,
        pick_format=pick_format,
        shapes=finished.shapes,
    )
    return [path]


def relion_names(
    coordinates: Mapping[str, ScoredCoordinates],
    finished: FinishedRun,
    start: Path,
    micrographs: RelionMicrographs | None,
) -> dict[str, str]:
    """Return the names that RELION's project has for the micrographs.

    Those of its micrographs STAR; or else the paths of the files, from `start` where
    they are below it, or the names where no files are known.
    """
    if micrographs is not None:
        if np.isfinite(finished.sampling_rate):
            micrographs.check_sampling_rate(finished.sampling_rate)
        needed = [name for name, picks in coordinates.items() if len(picks)]
        return micrographs.names_of(
            list(coordinates), targets=finished.paths, needed=needed
        )
    names = {}
    for name in coordinates:
        path = finished.paths.get(name, Path(name))
        names[name] = str(
            path.relative_to(start) if path.is_relative_to(start) else path
        )
    return names

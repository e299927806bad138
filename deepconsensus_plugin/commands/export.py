# SPDX-License-Identifier: GPL-3.0-or-later
"""``export PROJECT --format F --out DIR``: coordinates for other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.names import stem
from deepconsensus_plugin.core.io.picks import (
    PickFormat,
    write_merged_picks,
    write_picks,
)
from deepconsensus_plugin.core.io.scores_csv import ScoreTable, read_scores_csv
from deepconsensus_plugin.core.serialisation import read_json
from deepconsensus_plugin.core.types import BoolArray, ScoredCoordinates

HELP = "write accepted coordinates with their scores for other programs"
_MERGED = (PickFormat.STAR, PickFormat.CSV)
"""Formats that hold all micrographs in one file; others get a file for each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command."""
    parser.add_argument("project", type=Path, help="folder of a finished run")
    parser.add_argument(
        "--format",
        required=True,
        choices=[pick_format.value for pick_format in PickFormat],
        help="star and csv: one file of all micrographs; others: one for each",
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    parser.add_argument(
        "--all", action="store_true", help="every candidate, not only accepted ones"
    )
    parser.add_argument(
        "--threshold", type=float, help="accept this score or better instead"
    )


def run(arguments: argparse.Namespace) -> int:
    """Export; the exit status is 0 if it worked."""
    try:
        table = read_scores_csv(arguments.project / "scores.csv")
        box_size, observed = _read_summary(arguments.project / "summary.json")
        chosen = _choose(table, arguments.threshold, every=arguments.all)
        coordinates = by_micrograph(table, chosen, observed)
        pick_format = PickFormat(arguments.format)
        files = export(arguments.out, coordinates, box_size, pick_format)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    where = files[0] if len(files) == 1 else f"{len(files)} files in {arguments.out}"
    print(f"{chosen.sum()} of {len(table)} coordinates: {where}")
    return 0


def _read_summary(path: Path) -> tuple[int, list[str]]:
    """Return the box size, and the micrographs that any picker was run on."""
    summary = read_json(path)
    box_size = summary.get("box_size")
    if not isinstance(box_size, int):
        raise FileFormatError(
            path, expected="box_size, whole pixels", received=repr(box_size)
        )
    observed = summary.get("observed", {})  # runs of early versions do not have it
    return box_size, [name for name, pickers in observed.items() if pickers]


def _choose(table: ScoreTable, threshold: float | None, *, every: bool) -> BoolArray:
    if every:
        return np.ones(len(table), dtype=bool)
    return table.accepted if threshold is None else table.score >= threshold


def by_micrograph(
    table: ScoreTable, chosen: BoolArray, observed: Sequence[str] = ()
) -> dict[str, ScoredCoordinates]:
    """Return the chosen rows by micrograph, best score first.

    All micrographs of the table, and those that were `observed`: where nothing was
    found is not the same as where nobody looked.
    """
    names = np.array(table.micrograph, dtype=str)
    order = np.argsort(-table.score, kind="stable")
    return {
        name: ScoredCoordinates(table.yx[rows], table.score[rows])
        for name in sorted({*table.micrograph, *observed})
        for rows in [order[(chosen & (names == name))[order]]]
    }


def export(
    folder: Path,
    coordinates: dict[str, ScoredCoordinates],
    box_size: int,
    pick_format: PickFormat,
) -> list[Path]:
    """Write coordinates in a format, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    if pick_format in _MERGED:
        path = folder / f"coordinates{pick_format.extension}"
        write_merged_picks(
            path, coordinates, box_size=box_size, pick_format=pick_format
        )
        return [path]
    paths = _name_files(folder, list(coordinates), pick_format.extension)
    for name, path in paths.items():
        write_picks(
            path,
            coordinates[name],
            box_size=box_size,
            pick_format=pick_format,
            micrograph=name,
        )
    return list(paths.values())


def _name_files(folder: Path, names: list[str], extension: str) -> dict[str, Path]:
    """Return the file of each micrograph.

    Raises
    ------
    ValueError
        If two micrographs would share one.
    """
    owners: dict[str, str] = {}
    for name in names:
        other = owners.setdefault(stem(name), name)
        if other != name:
            raise ValueError(
                f"expected micrographs of different names, received {other} and "
                f"{name}: both files would be {stem(name)}{extension}. Take star or csv"
            )
    return {name: folder / f"{key}{extension}" for key, name in owners.items()}

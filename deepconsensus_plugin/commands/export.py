# SPDX-License-Identifier: GPL-3.0-or-later
"""``export PROJECT --format F --out DIR``: coordinates for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

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
        box_size = read_json(arguments.project / "summary.json")["box_size"]
        chosen = _choose(table, arguments.threshold, every=arguments.all)
        coordinates = by_micrograph(table, chosen)
        pick_format = PickFormat(arguments.format)
        files = export(arguments.out, coordinates, box_size, pick_format)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    where = files[0] if len(files) == 1 else f"{len(files)} files in {arguments.out}"
    print(f"{chosen.sum()} of {len(table)} coordinates: {where}")
    return 0


def _choose(table: ScoreTable, threshold: float | None, *, every: bool) -> BoolArray:
    if every:
        return np.ones(len(table), dtype=bool)
    return table.accepted if threshold is None else table.score >= threshold


def by_micrograph(table: ScoreTable, chosen: BoolArray) -> dict[str, ScoredCoordinates]:
    """Return the chosen rows by micrograph, best score first; all micrographs."""
    names = np.array(table.micrograph)
    order = np.argsort(-table.score, kind="stable")
    return {
        str(name): ScoredCoordinates(table.yx[rows], table.score[rows])
        for name in np.unique(names)
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
    files = []
    for name, picks in coordinates.items():
        path = folder / f"{stem(name)}{pick_format.extension}"
        write_picks(
            path, picks, box_size=box_size, pick_format=pick_format, micrograph=name
        )
        files.append(path)
    return files

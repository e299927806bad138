# SPDX-License-Identifier: GPL-3.0-or-later
"""Averages of what pickers, votes and a run chose, at equal numbers, as a table.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.averages.outcome OUT [--sets A weak …]

OUT holds finished `run` projects, as ``benchmarks.consensus.real_data OUT --run``
leaves them. In kind the comparison of the paper (Figure 3, and the 2-D half of its
Table 4), without another program: each choice is averaged by itself, as many boxes of
each as the smallest choice has (at most `--boxes`); *resolved* is the share of boxes
whose average an independent half confirms, *resolution* the median over boxes. A minute
a set.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import compress
from pathlib import Path

import numpy as np

from benchmarks.sets.real_sets import BOX_SIZE, PICKERS, SAMPLING_RATE, load_set
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.averages.parameters import (
    FEWEST_BOXES,
    SIZE,
    AveragesParameters,
)
from deepconsensus_plugin.core.averages.polar import Float32Array
from deepconsensus_plugin.core.averages.reduced_boxes import reduced_boxes
from deepconsensus_plugin.core.averages.sorting import Sorter
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.scores_csv import ScoreTable, read_scores_csv
from deepconsensus_plugin.core.types import BoolArray, Micrograph

PIXEL_SIZE_A = BOX_SIZE * SAMPLING_RATE / SIZE
HEADER = "choice,n in all,boxes,averages,resolved,resolution (Å),typical amplitude"


def choices_of(table: ScoreTable) -> Iterator[tuple[str, BoolArray]]:
    """Yield the name of each choice, and which candidates it is."""
    pickers = sorted({name for found in table.pickers for name in found})
    for picker in pickers:
        yield picker, np.array([picker in found for found in table.pickers])
    yield "found by any (OR)", np.ones(len(table), dtype=bool)
    yield "found by all", table.votes == len(pickers)
    yield "**accepted**", table.accepted
    yield "rejected", ~table.accepted


def boxes_of(
    table: ScoreTable, rows: BoolArray, micrographs: dict[str, Micrograph]
) -> Float32Array:
    """Return the reduced boxes of some candidates."""
    names = list(compress(table.micrograph, rows.tolist()))
    by_micrograph = group_coordinates(names, table.yx[rows], table.score[rows])
    parts = [
        part
        for name, here in by_micrograph.items()
        for part in reduced_boxes(
            micrographs[name], here.yx, BOX_SIZE, are_particles_dark=True
        )
    ]
    return np.concatenate(parts)


def row_of(name: str, n_in_all: int, boxes: Float32Array) -> list[object]:
    """Return the figures of `HEADER`."""
    is_second = np.arange(len(boxes)) % 2 == 1
    parameters = AveragesParameters()
    sorter = Sorter(boxes, is_second, parameters, pixel_size_A=PIXEL_SIZE_A)
    found = sorter.sort(boxes, is_second)
    resolution = sorter.resolution_A[found.poses.average]
    return [
        name,
        n_in_all,
        len(boxes),
        len(sorter.by_size()),
        float(np.isfinite(resolution).mean()),
        f"{np.median(resolution):.0f}",
        float(np.median(found.amplitude)),
    ]


def report(name: str, project: Path, n_boxes: int) -> str:
    """Return the table of one set."""
    real = load_set(name)
    micrographs = {each.name: each for each in real.micrographs}
    table = read_scores_csv(project / "scores.csv")
    choices = dict(choices_of(table))
    fewest = min(n_boxes, *(int(rows.sum()) for rows in choices.values()))
    if fewest < FEWEST_BOXES:
        return f"## {name}: one of the choices has {fewest} boxes only"
    rng = np.random.default_rng(0)
    rows = []
    for choice, chosen in choices.items():
        some = np.zeros(len(table), dtype=bool)
        some[rng.choice(np.flatnonzero(chosen), fewest, replace=False)] = True
        boxes = boxes_of(table, some, micrographs)
        rows.append(row_of(choice, int(chosen.sum()), boxes))
    return f"## {name}\n\n{markdown_table(HEADER.split(','), rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder of finished projects")
    parser.add_argument("--sets", nargs="+", choices=PICKERS, default=list(PICKERS))
    parser.add_argument("--boxes", type=int, default=2000)
    arguments = parser.parse_args()
    for name in arguments.sets:
        if (arguments.out / name / "scores.csv").is_file():
            print(report(name, arguments.out / name, arguments.boxes), end="\n\n")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepEM on simulated and real micrographs: round by round, paper's and modern; speed.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.deepem OUT [--sets klh-like,…] [--variants "modern;…"]

All particles of some micrographs are labelled, as the paper's users do; the others are
never seen (`benchmarks.deepem.sets`). The threshold is that of the largest F₂ on
micrographs held out of the training. Matches are within 0.25 of the box.
Precision-recall curves are drawn into OUT, and what OUT holds of an earlier run is
kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.deepem.cell import VARIANTS, Cell, run_cell
from benchmarks.deepem.sets import REAL, SIMULATED, load_set
from benchmarks.sets.tables import markdown_table

USUAL = ("modern", "modern, one round", "published, one round")
"""Not the last of `VARIANTS`: it learns nothing, and is asked for by name."""

_PANELS = 3

HEADER = (
    "precision,recall,F2,at log-odds,AP,both,training CPU s,micrographs a CPU s,"
    "times faster than windows"
)


def round_table(name: str, cell: Cell) -> str:
    """Return what each round came to on the micrographs held out."""
    rows = [
        [
            *(f"round {each.number}", each.n_particles, each.n_others, each.accuracy),
            *(
                getattr(each.operating_point, figure, None)
                for figure in ("precision", "recall", "f2", "threshold")
            ),
        ]
        for each in cell.rounds
    ]
    header = f"{name}, held out|particles|others|accuracy|precision|recall|F2|log-odds"
    return markdown_table(header.split("|"), rows)


def unseen_table(name: str, cells: Mapping[str, Cell]) -> str:
    """Return one row a variant, on the micrographs never seen."""
    rows = [
        [
            *(label, cell.precision, cell.recall, cell.f2, cell.threshold),
            *(cell.average_precision, cell.both),
            *(f"{cell.train_s:.0f}", f"{1 / cell.micrograph_s:.2f}"),
            f"{cell.windows_s / cell.micrograph_s:.0f} "
            f"({cell.published_s / cell.micrograph_s:.0f} the paper's)",
        ]
        for label, cell in cells.items()
    ]
    return markdown_table([f"{name}, unseen", *HEADER.split(",")], rows)


def draw_curves(curves: Mapping[str, Mapping[str, Cell]], path: Path) -> None:
    """Draw precision over recall, one panel a set, three beside each other."""
    n_rows = -(-len(curves) // _PANELS)
    figure = Figure(figsize=(3 * _PANELS, 3 * n_rows), layout="constrained")
    panels = figure.subplots(n_rows, _PANELS, squeeze=False).ravel()
    for axes in panels[len(curves) :]:
        axes.set_axis_off()
    for axes, (name, cells) in zip(panels, curves.items(), strict=False):
        for label, cell in cells.items():
            recall, precision = zip(*cell.curve, strict=True)
            (line,) = axes.plot(recall, precision, label=label)
            axes.plot(cell.recall, cell.precision, "o", color=line.get_color())
        axes.set(title=name, xlabel="recall", xlim=(0, 1.02), ylim=(0, 1.02))
    for axes in panels[::_PANELS]:
        axes.set_ylabel("precision")
    figure.axes[0].legend(loc="lower left", fontsize="small")
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default=",".join([*SIMULATED, *REAL]))
    parser.add_argument("--variants", default=";".join(USUAL), help="between ;")
    asked = parser.parse_args()
    curves = {}
    for name in asked.sets.split(","):
        learning = load_set(name, asked.folder)
        cells = {}
        for label in asked.variants.split(";"):
            place = asked.folder / name / label.replace(",", "").replace(" ", "-")
            cells[label] = run_cell(learning, VARIANTS[label], place)
            print(round_table(f"{name}, {label}", cells[label]), end="\n\n", flush=True)
        print(unseen_table(name, cells), end="\n\n", flush=True)
        curves[name] = cells
    draw_curves(curves, asked.folder / "curves.png")


if __name__ == "__main__":
    main()

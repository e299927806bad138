# SPDX-License-Identifier: GPL-3.0-or-later
"""Topaz tables: the paper's Figure 5 in kind, the public package, and real sets.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.topaz.tables OUT [--short] [--parts figure5,peer,real]

Test micrographs are never seen in training. Every training is a cell in a folder of its
own, so that a run that was interrupted goes on. Two average precisions: of regions, as
the paper's Figure 5 has it, and of coordinates, one-to-one within 0.25 of the box.
On two cores: Figure 5 takes two hours, the peer (``make env-topaz``) 40 min, the real
sets 10 min; ``--short``, 250 updates, one seed and two numbers of labels, 15 min.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.sets.tables import markdown_table
from benchmarks.topaz import peer as topaz_peer
from benchmarks.topaz.figures import evaluate
from benchmarks.topaz.ours import Cell, run_cell
from benchmarks.topaz.sets import LearningSet, draw_labels, load_set
from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.core.pickers.trained.prepared import PIXELS_PER_DIAMETER

PARTS = ("figure5", "peer", "real")
_SEEDS = {"simulated": (1, 2, 3), "apoferritin": (1,)}
_N_LABELS = (10, 50, 250, 1000)
_FEW = (10, 50, 250)
"""Labels of the trainings with a decoder: beyond, the paper has none."""

_PRIOR_FACTORS, _PRIOR_LABELS = (0.5, 1.5), 250
_REAL_LABELS = 200


@dataclass(frozen=True)
class Plan:
    """Plan of the trainings.

    Parameters
    ----------
    updates : int
        Updates of a cell of Figure 5.
    updates_beside_peer : int
        Updates of the cells that are set beside the public package.
    n_labels : tuple of int
        Number of labels of the columns of Figure 5.
    seeds : int
        At most.
    """

    updates: int = 500
    updates_beside_peer: int = 750
    n_labels: tuple[int, ...] = _N_LABELS
    seeds: int = 3


SHORT = Plan(updates=250, updates_beside_peer=250, n_labels=(50, 250), seeds=1)


@dataclass(frozen=True)
class Row:
    """One row of Figure 5: an objective, perhaps with a decoder or another prior."""

    name: str
    objective: Objective
    n_labels: tuple[int, ...] = _N_LABELS
    has_decoder: bool = False
    prior_factor: float = 1.0


ROWS = (
    *(Row(objective.value, objective) for objective in Objective),
    Row("ge-binomial, autoencoder", Objective.GE_BINOMIAL, _FEW, has_decoder=True),
    *(
        Row(f"ge-binomial, {f:g} π", Objective.GE_BINOMIAL, (_PRIOR_LABELS,), False, f)
        for f in _PRIOR_FACTORS
    ),
)


def figure5(name: str, folder: Path, plan: Plan) -> str:
    """Return the table of a set: AP of regions and of coordinates, mean ± deviation.

    Where there are not as many particles to label, all are labelled.
    """
    learning = load_set(name, folder)
    seeds = _SEEDS[name][: plan.seeds]
    numbers = {n: min(n, learning.n_to_learn) for n in plan.n_labels}
    rows = []
    for row in ROWS:
        cells: list[object] = [row.name]
        for n in plan.n_labels:
            if n not in row.n_labels:
                cells.append(None)
                continue
            made = [
                _train(learning, row, numbers[n], seed, folder, plan) for seed in seeds
            ]
            regions = [each.figures.region_average_precision for each in made]
            found = [each.figures.average_precision for each in made]
            cells.append(f"{_spread(regions)} / {_spread(found)}")
        rows.append(cells)
    header = ["regions / coordinates", *(f"{n} labels" for n in numbers.values())]
    return markdown_table(header, rows)


def _train(
    learning: LearningSet, row: Row, n: int, seed: int, folder: Path, plan: Plan
) -> Cell:
    labels = draw_labels(learning, n, seed)
    parameters = TopazParameters(
        objective=row.objective,
        n_epochs=1,
        n_updates=plan.updates,
        autoencoder=None if row.has_decoder else 0.0,
        radius_px=learning.radius_px,
        seed=seed,
    )
    if row.prior_factor != 1:
        parameters = replace(parameters, prior=row.prior_factor * learning.prior)
    key = f"{row.name}-{n}-{seed}-{plan.updates}".replace(" ", "").replace(",", "-")
    return run_cell(learning, labels, folder / learning.name / key, parameters)


def _spread(values: list[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.3f}"


def beside_peer(name: str, folder: Path, *, updates: int, threads: int) -> str:
    """Return one row a program: figures, and what they cost on so many threads."""
    learning = load_set(name, folder)
    labels = draw_labels(learning, _REAL_LABELS, 1)
    parameters = TopazParameters(
        objective=Objective.GE_BINOMIAL,  # the package's default
        n_epochs=1,
        n_updates=updates,
        autoencoder=0.0,
        radius_px=learning.radius_px,
    )
    own = folder / name / f"beside-{updates}-{threads}"
    ours = run_cell(learning, labels, own, parameters, threads=threads)
    rows: list[list[object]] = [["ours", *_ours_cells(ours)]]
    for network, rate in (("conv31", 2e-4), ("conv31", parameters.learning_rate)):
        made = topaz_peer.run(
            learning,
            labels,
            folder / name / f"topaz-em-{network}-{rate:g}-{updates}-{threads}",
            parameters=replace(parameters, learning_rate=rate),
            network=network,
            threads=threads,
        )
        figures = evaluate(learning, made.picking.picks, made.picking.read_scores)
        training, picking = made.training, made.picking.costs
        n = len(learning.test)
        rows.append(
            [
                f"topaz-em {network}, rate {rate:g}",
                figures.region_average_precision,
                figures.average_precision,
                figures.best_f1,
                *(training.update_s, training.update_cpu_s),
                *(n / picking.total_s, picking.pick_cpu_s / n),
                *(round(training.peak_mebibytes), round(picking.peak_mebibytes)),
            ]
        )
    header = (
        f"{name}|AP of regions|AP|best F1|s/update|CPU s/update|micrographs/s|"
        "CPU s/micrograph|MiB to train|MiB to pick"
    )
    return markdown_table(header.split("|"), rows)


def _ours_cells(cell: Cell) -> list[object]:
    return [
        cell.figures.region_average_precision,
        cell.figures.average_precision,
        cell.figures.best_f1,
        *(cell.update_s, cell.update_cpu_s),
        *(1 / cell.micrograph_s, cell.micrograph_cpu_s),
        *(round(cell.train_mebibytes), round(cell.pick_mebibytes)),
    ]


def real_cell(name: str, folder: Path) -> tuple[Path, Cell]:
    """Return the training on a real set with the form's defaults, and its folder."""
    learning, here = load_set(name, folder), folder / name / "defaults"
    cell = run_cell(
        learning,
        draw_labels(learning, _REAL_LABELS, 1),
        here,
        TopazParameters(),
        pixels_per_diameter=PIXELS_PER_DIAMETER,
        validation_fraction=0.2,
    )
    return here, cell


def real_sets(folder: Path) -> str:
    """Return one row a real set, with the defaults of the protocol."""
    rows = []
    for name in ("empiar10017", "apoferritin"):
        figures = real_cell(name, folder)[1].figures
        rows.append([name, figures.average_precision, figures.best_f1])
    return markdown_table(["200 labels, defaults", "AP", "best F1"], rows)


def _tables(parts: list[str], folder: Path, plan: Plan, threads: int) -> Iterator[str]:
    if "figure5" in parts:
        for name in _SEEDS:
            yield f"### Figure 5 in kind: {name}, {plan.updates} updates"
            yield figure5(name, folder, plan)
    if "peer" in parts:
        for name in ("apoferritin", "empiar10017"):
            yield (
                f"### Beside topaz-em: {name}, {_REAL_LABELS} labels, "
                f"{plan.updates_beside_peer} updates, threads: {threads}"
            )
            yield beside_peer(
                name, folder, updates=plan.updates_beside_peer, threads=threads
            )
    if "real" in parts:
        yield "### Real sets"
        yield real_sets(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--short", action="store_true", help="minutes, not hours")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--threads", type=int, default=2, help="beside the peer")
    asked = parser.parse_args()
    plan = SHORT if asked.short else Plan()
    for text in _tables(asked.parts.split(","), asked.folder, plan, asked.threads):
        print(text, end="\n\n", flush=True)


if __name__ == "__main__":
    main()

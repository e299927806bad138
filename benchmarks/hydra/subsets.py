# SPDX-License-Identifier: GPL-3.0-or-later
"""Own thresholds of the general HydraPicker on random subsets of a few micrographs.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.hydra.subsets OUT [--sets NAME …] [--sizes 3 5] [--draws 10]

A set is `apoferritin`, `empiar10017` or one of the simulated ones (`tetramer-40` …).
Peaks, nulls and counts are kept in OUT, so that a second time takes seconds. A size of
0 is the whole set. Prints a Markdown table: F1 at the threshold that the micrographs
themselves give, beside the best F1 of any threshold, worst and mean of the subsets.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.hydra.rows import hydra_request
from benchmarks.hydra.thresholds import f1_at
from benchmarks.sets.picking_sets import SETS as REAL
from benchmarks.sets.simulated_sets import simulate_set
from benchmarks.sets.tables import markdown_table
from benchmarks.sets.truth_sets import TruthSet, load_truth_set
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pipeline import network_pick
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickResult,
)
from deepconsensus_plugin.core.types import Micrograph

_SIMULATED_MICROGRAPHS = 8

HEADER = (
    "set, micrographs",
    "subsets",
    "F1",
    "worst",
    "best of any threshold",
    "its worst",
    "precision",
    "expected",
    "recall",
    "expected",
    "particles, of true",
    "threshold from",
)


@dataclass(frozen=True)
class Outcome:
    """Outcome on one subset: what came out, and what is true."""

    result: NetworkPickResult
    f1: float
    best_f1: float
    precision: float
    recall: float
    share_of_true: float


def evaluate(truth_set: TruthSet, some: Sequence[Micrograph], folder: Path) -> Outcome:
    """Return the outcome of picking some micrographs of a set."""
    request = hydra_request(
        some, truth_set.diameter_A, folder / truth_set.name, model=general_model()
    )
    result = network_pick.run(request, Progress())
    found = dict(network_pick.find_all(request, Progress()))
    truth = {each.name: truth_set.truth[each.name] for each in some}
    matched = match_picks(found, truth, radius_px=truth_set.match_radius_px)
    accepted = matched.scores >= result.threshold
    n_true = int(matched.n_truth.sum())
    numbers = result.numbers
    told = None if numbers is None else numbers.number
    return Outcome(
        result,
        f1_at(matched, result.threshold),
        summarise_matches(matched).best_f1,
        float(matched.is_match[accepted].mean()),
        float(matched.is_match[accepted].sum() / n_true),
        np.nan if told is None else told / n_true,
    )


def row(name: str, outcomes: Sequence[Outcome]) -> list[object]:
    """Return the row of subsets of one size, under `HEADER`."""

    def mean(values: Iterable[float]) -> float:
        return float(np.mean(list(values)))

    origins = [each.result.origin.name.lower() for each in outcomes]
    return [
        name,
        len(outcomes),
        mean(each.f1 for each in outcomes),
        min(each.f1 for each in outcomes),
        mean(each.best_f1 for each in outcomes),
        min(each.best_f1 for each in outcomes),
        mean(each.precision for each in outcomes),
        mean(each.result.expected_precision for each in outcomes),
        mean(each.recall for each in outcomes),
        mean(each.result.expected_recall for each in outcomes),
        mean(each.share_of_true for each in outcomes),
        ", ".join(f"{origins.count(each)} {each}" for each in dict.fromkeys(origins)),
    ]


def draw_subsets(
    micrographs: Sequence[Micrograph], size: int, n_draws: int
) -> list[list[Micrograph]]:
    """Return random subsets, each in the order of the set; for 0 the whole set."""
    if not 0 < size < len(micrographs):
        return [list(micrographs)]
    rng = np.random.default_rng(size)
    drawn = [
        sorted(rng.choice(len(micrographs), size, replace=False).tolist())
        for _ in range(n_draws)
    ]
    return [[micrographs[index] for index in indices] for indices in drawn]


def load_set(name: str, folder: Path) -> TruthSet:
    """Return a set by its name; simulated ones are made in `folder`."""
    if name in {each.folder for each in REAL}:
        return load_truth_set(name, folder)
    made = simulate_set(
        name, 1, folder / "sets" / name, n_micrographs=_SIMULATED_MICROGRAPHS
    )
    return made.whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=[each.folder for each in REAL])
    parser.add_argument("--sizes", nargs="*", type=int, default=[3, 5, 0])
    parser.add_argument("--draws", type=int, default=10)
    asked = parser.parse_args()
    rows = []
    for name in asked.sets:
        truth_set = load_set(name, asked.folder)
        for size in asked.sizes:
            subsets = draw_subsets(truth_set.micrographs, size, asked.draws)
            outcomes = [evaluate(truth_set, some, asked.folder) for some in subsets]
            rows.append(row(f"{name}, {size or 'all'}", outcomes))
            print(markdown_table(HEADER, rows[-1:]).splitlines()[-1], flush=True)
    print(f"\n{markdown_table(HEADER, rows)}")


if __name__ == "__main__":
    main()

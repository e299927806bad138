# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of finished `run` projects on EMPIAR-10017, as tables for docs/results.md.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.real_data OUT            # evaluate OUT/A, OUT/B, ...
    python -m benchmarks.consensus.real_data OUT --run      # run the command first
    python -m benchmarks.consensus.real_data OUT --run --sets A,B nEpochs=5 seed=2

Evaluating takes seconds; running takes what the last table says: with the defaults 4, 8
and 2 minutes for A, B and the weak pair on two cores that other work shared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets.real_sets import (
    BOX_SIZE,
    MATCH_RADIUS_PX,
    PICKERS,
    SAMPLING_RATE,
    RealSet,
    load_set,
)
from benchmarks.sets.tables import bar, markdown_table, with_interval
from deepconsensus_plugin.core.calibration.thresholds import PUBLISHED_THRESHOLD
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.scores_csv import ScoreTable, read_scores_csv
from deepconsensus_plugin.core.metrics import recall_of, summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.intervals import bootstrap_intervals
from deepconsensus_plugin.core.metrics.lattice import evaluate_blind_lattice
from deepconsensus_plugin.core.types import ScoredCoordinates

Coordinates = Mapping[str, ScoredCoordinates]


def where(
    table: ScoreTable, chosen: NDArray[np.bool_], by: NDArray[np.float64]
) -> Coordinates:
    """Return the chosen rows by micrograph, with `by` as their score."""
    return group_coordinates(
        list(compress(table.micrograph, chosen.tolist())),
        table.yx[chosen],
        by[chosen],
        micrographs=sorted(set(table.micrograph)),
    )


def rows_of(real: RealSet, table: ScoreTable) -> dict[str, Coordinates]:
    """Return what is compared: pickers, vote rules, the network, what was accepted."""
    votes = table.votes.astype(float)
    n_pickers = len(real.folders)
    every = np.ones(len(votes), dtype=bool)
    return {
        **{picks.picker: picks.coordinates for picks in real.read_pickers()},
        "union (score = votes)": where(table, every, votes),
        **{
            f"at least {least}": where(table, votes >= least, votes)
            for least in range(2, n_pickers + 1)
        },
        "union (score = network)": where(table, every, table.network_score),
        "network at 0.5": where(
            table, table.network_score >= PUBLISHED_THRESHOLD, table.network_score
        ),
        "union, fused": where(table, every, table.score),
        "**accepted**": where(table, table.accepted, table.score),
    }


def detection_table(real: RealSet, compared: Mapping[str, Coordinates]) -> str:
    """Return one row per compared set of coordinates."""
    rng = np.random.default_rng(0)
    rows = []
    for name, picks in compared.items():
        matched = match_picks(picks, real.truth, radius_px=MATCH_RADIUS_PX)
        found = summarise_matches(matched)
        spread = bootstrap_intervals(matched, rng=rng)["f1"]
        kept = [
            recall_of(labels, picks, radius_px=MATCH_RADIUS_PX)
            for labels in (real.good, real.bad)
        ]
        f1 = with_interval(found.f1, spread.low, spread.high)
        figures = (found.precision, found.recall, f1, found.average_precision)
        best = (found.best_f1, found.best_f1_threshold, found.roc_auc)
        rows.append([name, found.n_picks, *figures, *best, *kept])
    header = "picks,n,precision,recall,F1 (95 %),AP,best F1,at score,ROC-AUC"
    return markdown_table([*header.split(","), "good kept", "bad kept"], rows)


def blind_sentence(real: RealSet) -> str:
    """Return what a lattice that never saw the images scores."""
    shapes = {micrograph.name: micrograph.shape for micrograph in real.micrographs}
    blind = evaluate_blind_lattice(
        real.truth, shapes, box_size=BOX_SIZE, radius_px=MATCH_RADIUS_PX
    )
    return (
        f"{blind.n_micrographs} micrographs, {blind.n_truth} true particles, matched "
        f"one-to-one within {MATCH_RADIUS_PX} px. A blind lattice: F1 {blind.f1:.2f}, "
        f"precision {blind.precision:.2f}, recall {blind.recall:.2f}."
    )


def distribution_table(score: NDArray[np.float64]) -> str:
    """Return the quantiles and a histogram in tenths of the scores."""
    scored = score[~np.isnan(score)]
    levels = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    quantiles = markdown_table(
        ["quantile", *map(str, levels)],
        [["score", *map(float, np.quantile(scored, levels))]],
    )
    counts, edges = np.histogram(scored, bins=10, range=(0, 1))
    histogram = markdown_table(
        ["score from", "n", "share"],
        [
            [f"{low:.1f}", int(count), bar(count / len(scored))]
            for low, count in zip(edges, counts, strict=False)
        ],
    )
    return f"{quantiles}\n\n{histogram}"


def cost_table(summary: Path) -> str:
    """Return seconds and peak memory of each stage, from ``summary.json``."""
    timings = json.loads(summary.read_text()).get("timings", {})
    rows = [
        [stage, f"{cost['seconds']:.0f}", f"{cost['peak_memory_mb']:.0f}"]
        for stage, cost in timings.items()
    ]
    return markdown_table(["stage", "seconds", "peak memory, MB"], rows)


def report(real: RealSet, project: Path) -> str:
    """Return all tables of one finished project."""
    table = read_scores_csv(project / "scores.csv")
    return "\n\n".join(
        [
            f"## {real.name}: {', '.join(PICKERS[real.name])}",
            blind_sentence(real),
            detection_table(real, rows_of(real, table)),
            distribution_table(table.score),
            cost_table(project / "summary.json"),
        ]
    )


def run_project(real: RealSet, project: Path, settings: list[str]) -> None:
    """Run the command on the set; its micrographs are linked beside the project."""
    links = project.with_name(f"{project.name}-micrographs")
    links.mkdir(parents=True, exist_ok=True)
    for micrograph in real.micrographs:
        link = links / micrograph.name
        if not link.exists():
            link.symlink_to(micrograph.path.resolve())
    picks = ",".join(str(folder.resolve()) for folder in real.folders)
    command = [sys.executable, "-m", "deepconsensus_plugin", "run", "deep_consensus"]
    command += [f"micrographs={links}/*.mrc", f"samplingRate={SAMPLING_RATE}"]
    truth = real.micrographs[0].path.resolve().parents[1] / "truth"
    command += [f"picks={picks}", f"boxSize={BOX_SIZE}", f"truth={truth}", *settings]
    started = time.monotonic()
    subprocess.run([*command, "--project", str(project)], check=True)
    print(f"{real.name}: {time.monotonic() - started:.0f} s", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder of the projects")
    parser.add_argument("--run", action="store_true", help="run the command first")
    parser.add_argument("--sets", default=",".join(PICKERS), help="A, B, weak")
    parser.add_argument("settings", nargs="*", help="name=value of the command")
    arguments = parser.parse_intermixed_args()
    for name in arguments.sets.split(","):
        real, project = load_set(name), arguments.out.resolve() / name
        if arguments.run:
            run_project(real, project, arguments.settings)
        print(report(real, project), end="\n\n")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison of auto, from micrographs alone, with each picker given the diameter.

    export DEEPCONSENSUS_DATA=DIR DEEPCONSENSUS_STRUCTURES=DIR
    python -m benchmarks.auto OUT [--sets NAME …]

Sets are `apoferritin`, `empiar10017` and the seven targets of the corpus (their test
micrographs). *auto* is told nothing: the diameter is estimated, three pickers pick, and
Deep Consensus decides, all with their defaults. Matches lie within a quarter of the
box, on targets a box of one and a half diameters. What OUT holds of an earlier run is
not computed again. Prints a Markdown table for each set, and one of all.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.auto.diameter import TARGETS
from benchmarks.consensus.classical import HEADER, row
from benchmarks.hydra.corpus import REDUCED, load_corpus, make_set
from benchmarks.hydra.samples import SAMPLES
from benchmarks.sets.picking_sets import SETS
from benchmarks.sets.tables import markdown_table
from benchmarks.sets.truth_sets import TruthSet, load_truth_set
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.workflow.automatic import AutomaticPicks, pick_for_me
from deepconsensus_plugin.core.workflow.chain import run_deep_consensus
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.core.workflow.result import DeepConsensusResult

REAL = tuple(each.folder for each in SETS)
NAMES = (*REAL, *TARGETS)
SUMMARY = (
    "set",
    "diameter Å",
    "estimated",
    "best picker",
    "F1",
    "auto F1",
    "AP",
    "precision expected",
    "true",
    "CPU min",
)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Outcome of *auto* on one set.

    Parameters
    ----------
    picks : AutomaticPicks
        What it picked.
    result : DeepConsensusResult
        What it accepted.
    cpu_minutes : float
        Processor time; less where an earlier run was kept.
    """

    picks: AutomaticPicks
    result: DeepConsensusResult
    cpu_minutes: float


def load(name: str, folder: Path) -> TruthSet:
    """Return a set of `NAMES`; targets are made in `folder`."""
    if name in REAL:
        return load_truth_set(name, folder)
    sample = next(each for each in SAMPLES if each.name == name)
    make_set(sample, REDUCED, folder / "corpus" / name)
    found = next(s for s in load_corpus(folder / "corpus") if s.name == name)
    truth = {each.name: found.truth[each.name] for each in found.test}
    box = 2 * int(np.ceil(0.75 * found.diameter_px))
    return TruthSet(name, found.test, truth, found.diameter_A, box)


def run_auto(
    truth_set: TruthSet, folder: Path, options: DeepConsensusOptions
) -> Outcome:
    """Return what *auto* makes of micrographs."""
    started = time.process_time()
    picks = pick_for_me(truth_set.micrographs, folder / "pickers")
    result = run_deep_consensus(
        truth_set.micrographs, list(picks.pickers), options, folder / "consensus"
    )
    return Outcome(picks, result, (time.process_time() - started) / 60)


def rows_of(
    truth_set: TruthSet, outcome: Outcome, told: AutomaticPicks
) -> list[list[object]]:
    """Return the rows of a set, under `HEADER`."""
    result = outcome.result
    rows = [
        row(truth_set, f"{each.picker}, told", each.coordinates)
        for each in told.pickers
    ]
    rows += [
        row(truth_set, each.picker, each.coordinates) for each in outcome.picks.pickers
    ]
    return [*rows, row(truth_set, "**auto**", result.coordinates)]


def summary_of(
    truth_set: TruthSet, outcome: Outcome, told: AutomaticPicks
) -> list[object]:
    """Return the row of a set, under `SUMMARY`."""

    def figures(picks, threshold=None):  # type: ignore[no-untyped-def]
        radius_px = truth_set.match_radius_px
        return summarise_matches(
            match_picks(
                picks, truth_set.truth, radius_px=radius_px, threshold=threshold
            )
        )

    single = {each.picker: figures(each.coordinates).f1 for each in told.pickers}
    best = max(single, key=lambda name: single[name])
    accepted = figures(outcome.result.coordinates)
    ranked = figures(outcome.result.scored)
    expected = outcome.result.summary.expected
    return [
        truth_set.name,
        f"{truth_set.diameter_A:.0f}",
        f"{outcome.picks.diameter_A:.0f}",
        best,
        single[best],
        accepted.f1,
        ranked.average_precision,
        "not told" if expected is None else expected.precision.value,
        accepted.precision,
        f"{outcome.cpu_minutes:.1f}",
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=NAMES)
    asked = parser.parse_args()
    summaries = []
    for name in asked.sets:
        truth_set = load(name, asked.folder)
        folder = asked.folder / "auto" / name
        outcome = run_auto(truth_set, folder, DeepConsensusOptions())
        told = pick_for_me(
            truth_set.micrographs, folder / "told", diameter_A=truth_set.diameter_A
        )
        table = markdown_table(HEADER.split(","), rows_of(truth_set, outcome, told))
        summaries.append(summary_of(truth_set, outcome, told))
        print(
            f"\n**{name}**: {outcome.picks.estimate.describe()}\n\n{table}", flush=True
        )
    print(f"\n{markdown_table(SUMMARY, summaries)}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Accuracy of fused probabilities on simulated micrographs, as tables.

    python -m benchmarks.consensus.accuracy_simulated OUT [--sets shell-40 …] [--seed 1]

Four structures, each sparse, usual and crowded; all else as the simulator's defaults.
Both classical pickers with the thresholds they find, given the true diameter; one
network, all else as the defaults; nothing chosen per set, and the truth used for
evaluation only. Expected figures are compared with two truths: the simulator's (whole
molecules by themselves), and all whole molecules. What OUT holds of an earlier run is
not computed again, so that one that was stopped goes on. 15 minutes on two idle cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.consensus.classical import (
    PICKERS,
    Scored,
    pick_all,
    score_all,
)
from benchmarks.consensus.repic import repic_consensus
from benchmarks.consensus.zscores import MAX_Z, zscores
from benchmarks.sets.simulated_sets import SETS, SimulatedSet, simulate_set
from benchmarks.sets.tables import markdown_table, with_interval
from benchmarks.sets.truth_sets import Marks, TruthSet
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.expected import expected_figures
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.intervals import bootstrap_intervals
from deepconsensus_plugin.core.metrics.matching import match_best_first
from deepconsensus_plugin.core.types import PickerPicks

NETWORK = TrainingParameters(n_models=1)
BASELINES = (*PICKERS, "union", "both", "REPIC", "Z-score", "network at 0.5")
F1_HEADER = [
    *("set", *BASELINES, "fused, no network", "fused, no general model"),
    *("fused, no averages", "**fused** (95 %)", "best", "AP", "gain"),
]
EXPECTED_HEADER = (
    "set,threshold,n,precision expected,true,of whole,recall expected,true,of whole,"
    "calibration error,of whole"
).split(",")
"""The first *true* and the error are of the simulator's truth."""

Probabilities = NDArray[np.floating]


def fused_probability(
    candidates: Candidates,
    network: Probabilities | None = None,
    witness: Probabilities | None = None,
    amplitude: Probabilities | None = None,
) -> Probabilities:
    """Return what the workflow would give the candidates."""
    evidence = Evidence.of_candidates(candidates, network, witness, amplitude)
    return fuse(evidence, rng=np.random.default_rng(0), n_resamples=0).probability


def f1_row(
    truth_set: TruthSet,
    pickers: list[PickerPicks],
    scored: Scored,
) -> list[object]:
    """Return the F1 of all that is compared; see `F1_HEADER`."""
    candidates, network, witness, amplitude = scored
    votes = candidates.by_micrograph(candidates.votes.astype(np.float64))
    unlikeness = zscores(truth_set.micrographs, candidates, box_size=truth_set.box_size)
    consensus = repic_consensus(pickers, box_size=truth_set.box_size, min_pickers=2)
    compared: list[tuple[Marks, float | None]] = [
        *((each.coordinates, None) for each in pickers),
        (votes, 1.0),
        (votes, 2.0),
        (consensus, None),
        (candidates.by_micrograph(-unlikeness), -MAX_Z),
        (candidates.by_micrograph(network), 0.5),
    ]
    others = [_f1(truth_set, picks, at)[0] for picks, at in compared]
    fused = []
    for scores in (
        (),
        (network,),
        (network, witness),
        (network, witness, amplitude),
    ):
        probability = fused_probability(candidates, *scores)
        at = choose_threshold(probability, AUTOMATIC)
        fused.append(_f1(truth_set, candidates.by_micrograph(probability), at))
    *without, (value, text, best, precision) = fused
    without = [each for each, *_ in without]
    gain = f"{value - max(others):+.3f}"
    return [truth_set.name, *others, *without, text, best, precision, gain]


def _f1(
    truth_set: TruthSet, picks: Marks, threshold: float | None
) -> tuple[float, str, float, float | None]:
    """Return F1, with its interval, the best of any threshold, average precision."""
    matched = match_picks(
        picks,
        truth_set.truth,
        radius_px=truth_set.match_radius_px,
        threshold=threshold,
    )
    found = summarise_matches(matched)
    spread = bootstrap_intervals(matched, rng=np.random.default_rng(0))["f1"]
    text = with_interval(found.f1, spread.low, spread.high)
    return found.f1, text, found.best_f1, found.average_precision


def expected_row(
    simulated: SimulatedSet, candidates: Candidates, probability: Probabilities
) -> list[object]:
    """Return what is expected at the automatic threshold, and what is true."""
    threshold = choose_threshold(probability, AUTOMATIC)
    accepted = probability >= threshold
    precisions, recalls = (
        [figure] for figure in expected_figures(probability, accepted)
    )
    errors = []
    for truth_set in (simulated.good, simulated.whole):
        is_true = find_true(truth_set, candidates, probability)
        precisions.append(float(is_true[accepted].mean()))
        recalls.append(float(is_true[accepted].sum() / is_true.sum()))
        errors.append(calibration_error(probability, is_true))
    name = simulated.good.name
    return [name, threshold, int(accepted.sum()), *precisions, *recalls, *errors]


def find_true(
    truth_set: TruthSet, candidates: Candidates, probability: Probabilities
) -> NDArray[np.bool_]:
    """Return which candidates match a true centre, the most probable first."""
    return np.concatenate(
        [
            match_best_first(
                picks.yx,
                picks.scores,
                truth_set.truth[name].yx,
                truth_set.match_radius_px,
            )
            for name, picks in candidates.by_micrograph(probability).items()
        ]
    )


def calibration_error(probability: Probabilities, is_true: NDArray[np.bool_]) -> float:
    """Return the mean gap between expected and true share over tenths of candidates."""
    tenths = np.array_split(np.argsort(probability, kind="stable"), 10)
    return float(
        np.mean(
            [abs(probability[rows].mean() - is_true[rows].mean()) for rows in tenths]
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    f1_rows, whole_rows, expected_rows = [], [], []
    for name in arguments.sets:
        folder = arguments.out.resolve() / f"{name}-{arguments.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        simulated = simulate_set(name, arguments.seed, folder)
        pickers = pick_all(simulated.good, folder)
        found = score_all(simulated.good, pickers, NETWORK, folder)
        f1_rows.append(f1_row(simulated.good, pickers, found))
        whole_rows.append(f1_row(simulated.whole, pickers, found))
        candidates, probability = found[0], fused_probability(*found)
        expected_rows.append(expected_row(simulated, candidates, probability))
    print("### F1, truth: whole molecules by themselves\n")
    print(markdown_table(F1_HEADER, f1_rows), end="\n\n")
    print("### F1, truth: all whole molecules\n")
    print(markdown_table(F1_HEADER, whole_rows), end="\n\n")
    print("### Expected at the automatic threshold, and true\n")
    print(markdown_table(EXPECTED_HEADER, expected_rows))


if __name__ == "__main__":
    main()

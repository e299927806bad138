# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion of every pair, trio and quartet of six pickers on EMPIAR-10017.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.combinations MODEL    # the model folder of a finished project

One network scores the candidates of all six, once: what it learnt from is the same
for all. Beside each combination stands what nobody could choose without the truth: the
best of its pickers and of its rules of votes. Takes some minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.paper_test import (
    CONSENSUS_RADIUS_PX,
    MERGE_RADIUS_PX,
    Fold,
    score_boxes,
)
from benchmarks.real_sets import MATCH_RADIUS_PX, RealSet, load_set
from benchmarks.tables import markdown_table
from deepconsensus_plugin.core.calibration import Evidence, LatentTraitModel
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.metrics.matching import match_coordinates
from deepconsensus_plugin.core.thresholds import ThresholdMode, choose_threshold
from deepconsensus_plugin.core.types import PickerPicks

Floats = NDArray[np.floating]
SIZES = (2, 3, 4, 6)


@dataclass(frozen=True, eq=False)
class Combination:
    """Candidates of some pickers, the network's score of each, and which are true."""

    candidates: Candidates
    network: Floats
    is_true: NDArray[np.bool_]
    n_truth: int

    def f1(self, accepted: NDArray[np.bool_]) -> float:
        """Return F1 of accepted candidates; each counts for the truth it was given."""
        n_true = (accepted & self.is_true).sum()
        return float(2 * n_true / (accepted.sum() + self.n_truth))

    def best_without_scores(self) -> float:
        """Return the best F1 of a picker or of a rule of votes."""
        found, votes = self.candidates.found, self.candidates.votes
        accepted = [*found.T, *(votes >= m for m in range(1, found.shape[1] + 1))]
        return max(map(self.f1, accepted))

    def fused_f1(self) -> float:
        """Return F1 of the probabilities at the automatic threshold."""
        evidence = Evidence.of_candidates(self.candidates, self.network)
        probability = LatentTraitModel(evidence).fit().probability
        return self.f1(
            probability >= choose_threshold(probability, mode=ThresholdMode.MAX_F)
        )


def agree(pickers: list[PickerPicks]) -> Candidates:
    """Return the candidates of some pickers, at the radii of all benchmarks."""
    return find_consensus(
        pickers,
        consensus_radius_px=CONSENSUS_RADIUS_PX,
        merge_radius_px=MERGE_RADIUS_PX,
    )


def combine(
    real: RealSet, chosen: list[PickerPicks], everything: Candidates, scores: Floats
) -> Combination:
    """Return the candidates of the chosen pickers, each with its neighbour's score."""
    candidates = agree(chosen)
    network, is_true = np.empty(len(candidates)), np.zeros(len(candidates), bool)
    for index, name in enumerate(candidates.micrographs):
        rows = np.flatnonzero(candidates.micrograph_index == index)
        all_rows = everything.micrograph_index == index
        nearest = cKDTree(everything.yx[all_rows]).query(candidates.yx[rows])[1]
        network[rows] = scores[all_rows][nearest]
        truth = real.truth[name].yx
        matched, _ = match_coordinates(candidates.yx[rows], truth, MATCH_RADIUS_PX)
        is_true[rows[matched]] = True
    n_truth = sum(len(real.truth[name]) for name in candidates.micrographs)
    return Combination(candidates, network, is_true, n_truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, help="model folder")
    model = parser.parse_args().model.resolve()
    real = load_set("six")
    pickers = real.read_pickers()
    everything = agree(pickers)
    with tempfile.TemporaryDirectory() as folder:
        fold = Fold(real.micrographs, real.micrographs, Path(folder))
        scores = score_boxes(fold, model, everything.coordinates())
    rows = []
    for chosen in (c for size in SIZES for c in combinations(pickers, size)):
        made = combine(real, list(chosen), everything, scores)
        best, fused = made.best_without_scores(), made.fused_f1()
        names = " + ".join(picks.picker for picks in chosen)
        network = made.f1(made.network >= 0.5)
        rows.append([len(chosen), names, best, network, fused, fused - best])
    header = ["pickers", "best picker or rule", "network at 0.5", "fused", "gain"]
    print(markdown_table(header, [row[1:] for row in rows]))
    for size in SIZES:
        some = np.array([row[2:] for row in rows if row[0] == size], dtype=float)
        means = ["mean of " + str(len(some)), *map(float, some.mean(axis=0))]
        print(markdown_table(header, [means]))


if __name__ == "__main__":
    main()

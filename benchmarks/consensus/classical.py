# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflow from the two classical pickers to particles, on sets with a truth.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.classical OUT [SET …] [nUpdates=… nModels=…
        learningRate=…]

Both pickers with their own thresholds, given the diameter only; consensus, negatives,
networks, fused probability and the automatic threshold, all with their defaults. Sets:
apoferritin, empiar10017 (real), and simulated-SEED, the demonstration's micrographs of
that seed. What OUT holds of an earlier run of the same settings is not computed again.
Minutes a set.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets.picking_sets import SETS
from benchmarks.sets.tables import markdown_table, with_interval
from benchmarks.sets.truth_sets import Marks, TruthSet, load_truth_set
from deepconsensus_plugin.core import (
    Candidates,
    DeepConsensusOptions,
    PickerPicks,
    PickMethod,
    PickParameters,
    TrainingParameters,
    pick,
    run_deep_consensus,
)
from deepconsensus_plugin.core.averages.table import read_amplitude
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.intervals import bootstrap_intervals
from deepconsensus_plugin.core.metrics.lattice import evaluate_blind_lattice

PICKERS = {
    "difference of Gaussians": PickMethod.GAUSSIANS,
    "rotational correlation": PickMethod.CORRELATION,
}
HEADER = "picks,n,precision,recall,F1 (95 %),AP,best F1,at score"


def pick_all(truth_set: TruthSet, folder: Path) -> list[PickerPicks]:
    """Return the picks of both pickers, each at the threshold that it finds."""
    return [
        pick(
            truth_set.micrographs,
            PickParameters(truth_set.diameter_A, method),
            folder / method.value,
            name=name,
            box_size=truth_set.box_size,
        )
        for name, method in PICKERS.items()
    ]


class Scored(NamedTuple):
    """Candidates, n, and what is told of each, NaN where nothing is."""

    candidates: Candidates
    network: NDArray[np.float64]
    """Mean over the networks."""
    witness: NDArray[np.float64]
    """Probability by the general model."""
    amplitude: NDArray[np.float64]
    """How much of an aligned average each box holds."""


def score_all(
    truth_set: TruthSet,
    pickers: list[PickerPicks],
    parameters: TrainingParameters,
    folder: Path,
) -> Scored:
    """Return the candidates of the workflow, and all that it knows of them."""
    options = DeepConsensusOptions(training=parameters)
    found = run_deep_consensus(truth_set.micrographs, pickers, options, folder)
    opinion = found.files.find_opinion(found.candidates)
    amplitude = read_amplitude(found.files.averages, len(found.candidates))
    unknown = np.full(len(found.candidates), np.nan)
    return Scored(
        found.candidates,
        found.networks.mean,
        unknown if opinion is None else opinion,
        unknown if amplitude is None else amplitude,
    )


def row(
    truth_set: TruthSet, name: str, picks: Marks, threshold: float | None = None
) -> list[object]:
    """Return the figures of `HEADER`."""
    matched = match_picks(
        picks,
        truth_set.truth,
        radius_px=truth_set.match_radius_px,
        threshold=threshold,
    )
    found = summarise_matches(matched)
    spread = bootstrap_intervals(matched, rng=np.random.default_rng(0))["f1"]
    f1 = with_interval(found.f1, spread.low, spread.high)
    ranking = (found.average_precision, found.best_f1, found.best_f1_threshold)
    return [name, found.n_accepted, found.precision, found.recall, f1, *ranking]


def lattice_row(truth_set: TruthSet) -> list[object]:
    """Return the row of a lattice that never saw the images."""
    blind = evaluate_blind_lattice(
        dict(truth_set.truth),
        {micrograph.name: micrograph.shape for micrograph in truth_set.micrographs},
        box_size=truth_set.truth_box_size,
        radius_px=truth_set.match_radius_px,
    )
    figures = (blind.n_picks, blind.precision, blind.recall, f"{blind.f1:.3f}")
    return ["blind lattice", *figures, None, None, None]


def fused_row(
    truth_set: TruthSet, name: str, candidates: Candidates, evidence: Evidence
) -> list[object]:
    """Return the row of fused probabilities at the automatic threshold."""
    fusion = fuse(evidence, rng=np.random.default_rng(0), n_resamples=0)
    best = choose_threshold(fusion.probability, AUTOMATIC)
    return row(truth_set, name, candidates.by_micrograph(fusion.probability), best)


def report(name: str, out: Path, parameters: TrainingParameters) -> str:
    """Return the table of one set."""
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    truth_set = load_truth_set(name, folder)
    pickers = pick_all(truth_set, folder)
    started = time.monotonic()
    scored = score_all(truth_set, pickers, parameters, folder)
    candidates, network, *_ = scored
    seconds = time.monotonic() - started
    votes = candidates.by_micrograph(candidates.votes.astype(np.float64))
    agreed = candidates.agreed(len(pickers))
    rows = [row(truth_set, each.picker, each.coordinates) for each in pickers]
    rows += [
        row(truth_set, "union (score = votes)", votes),
        row(truth_set, "found by both", votes, 2.0),
        row(truth_set, "agreed (AND)", agreed),
        row(truth_set, "network at 0.5", candidates.by_micrograph(network), 0.5),
    ]
    for label, *scores in (
        ("fused, no network", None),
        ("fused, no general model", network),
        ("fused, no averages", network, scored.witness),
        ("**fused**", *scored[1:]),
    ):
        evidence = Evidence.of_candidates(candidates, *scores)
        rows.append(fused_row(truth_set, label, candidates, evidence))
    rows.append(lattice_row(truth_set))
    n_truth = sum(map(len, truth_set.truth.values()))
    return "\n".join(
        [
            f"### {name}: {len(truth_set.micrographs)} micrographs, {n_truth} true "
            f"particles, matched within {truth_set.match_radius_px:g} px\n",
            markdown_table(HEADER.split(","), rows),
            f"\n{len(candidates)} candidates; consensus, negatives, training and "
            f"scoring {seconds:.0f} s.",
        ]
    )


NUMBERS = {
    "nUpdates": ("n_updates", int),
    "nModels": ("n_models", int),
    "learningRate": ("learning_rate", float),
    "seed": ("seed", int),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("words", nargs="*", metavar="SET|NAME=VALUE")
    arguments = parser.parse_args()
    given = dict(word.split("=") for word in arguments.words if "=" in word)
    changes = {NUMBERS[key][0]: NUMBERS[key][1](text) for key, text in given.items()}
    parameters = replace(TrainingParameters(), **changes)
    sets = [word for word in arguments.words if "=" not in word]
    for name in sets or [picking.folder for picking in SETS]:
        print(report(name, arguments.out.resolve(), parameters), end="\n\n", flush=True)


if __name__ == "__main__":
    main()

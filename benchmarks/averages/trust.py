# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of votes, scores and averages in a probability, learnt from simulated truth.

    python -m benchmarks.averages.trust OUT [--sets trimer-80 …]

Made-up molecules that no other benchmark of accuracy uses, sparse, usual and crowded,
eight micrographs each; both classical pickers with the thresholds that they find, one
network, all else as the defaults. The slopes are those of a logistic regression of
*whole and by itself*, which tells most about an image; the level is that at which
*whole* molecules are told right, whether they touch others or not. Prints the constants
of `core.calibration.likeness`, and for each set what would be expected, with constants
learnt from the other sets. What OUT holds is not computed again; 20 minutes on two
cores.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import expit

from benchmarks.consensus.accuracy_simulated import NETWORK, find_true
from benchmarks.consensus.classical import pick_all, score_all
from benchmarks.sets.simulated_sets import SimulatedSet, make_set
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.likeness import likeness_features
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.simulation import (
    Assembly,
    Crowd,
    SimulationParameters,
    Structure,
)
from deepconsensus_plugin.core.types import FloatArray

N_MICROGRAPHS = 8
MOLECULES = {
    "trimer-80": (Assembly(13, (60, 60, 50), "C3"), 80),
    "complex-40": (Assembly(15, (110, 95, 80), "C1", 9, nucleic_fraction=0.5), 40),
    "pear-160": (Assembly(18, (90, 60, 50), "C1", 5), 160),
    "bean-80": (Assembly(19, (85, 50, 45), "C2", 4), 80),
    "proteasome-160": (Assembly(23, (58, 58, 80), "D7", 2, hollow=0.3), 160),
    "ring-40": (Assembly(26, (95, 95, 45), "D6", 2, hollow=0.45), 40),
    "lobed-80": (Assembly(14, (85, 70, 60), "C1", 6), 80),
    "pump-160": (Assembly(34, (60, 55, 85), "C1", 6), 160),
}
_SAME_FOR_ALL = 500.0
"""Weight of each set, in candidates."""
_RIDGE = 0.01
_NEWTON_STEPS = 30


@dataclass(frozen=True, eq=False)
class Learnt:
    """Candidates of one set.

    Parameters
    ----------
    features : array, shape (n, 4)
        See `likeness_features`.
    is_good, is_whole : array, shape (n,), float64
        Whether each matches a whole molecule by itself, and any whole one.
    """

    features: FloatArray
    is_good: FloatArray
    is_whole: FloatArray


def learn_from(simulated: SimulatedSet, folder: Path) -> Learnt:
    """Return features and truth of the candidates that a run gives."""
    pickers = pick_all(simulated.good, folder)
    scored = score_all(simulated.good, pickers, NETWORK, folder)
    candidates, network, witness, amplitude = scored
    if np.isnan(amplitude).all():
        raise SystemExit(f"{folder}: too few candidates for averages")
    judged = candidates.can_be_judged
    known = candidates.take(judged)
    evidence = Evidence.of_candidates(
        known, network[judged], witness[judged], amplitude[judged]
    )
    votes_and_scores = replace(evidence, amplitude=None)
    rng = np.random.default_rng(0)
    probability = fuse(votes_and_scores, rng=rng, n_resamples=0).probability
    good, whole = (
        find_true(truth, known, probability).astype(float)
        for truth in (simulated.good, simulated.whole)
    )
    return Learnt(likeness_features(probability, amplitude[judged]), good, whole)


def regress(features: FloatArray, truth: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the coefficients of a logistic regression."""
    coefficients = np.zeros(features.shape[1])
    for _ in range(_NEWTON_STEPS):
        expected = expit(features @ coefficients)
        gradient = features.T @ (weight * (truth - expected))
        curvature = (features * (weight * expected * (1 - expected))[:, None]).T
        hessian = curvature @ features + _RIDGE * np.eye(len(coefficients))
        coefficients += np.linalg.solve(hessian, gradient)
    return coefficients


def learn(sets: list[Learnt]) -> FloatArray:
    """Return level, trust, and slopes below and above the typical amplitude."""
    features = np.concatenate([each.features for each in sets])
    good = np.concatenate([each.is_good for each in sets])
    whole = np.concatenate([each.is_whole for each in sets])
    weight = np.concatenate(
        [np.full(len(s.is_good), _SAME_FOR_ALL / len(s.is_good)) for s in sets]
    )
    slopes = regress(features, good, weight)
    order = features @ slopes
    level, scale = regress(np.column_stack([np.ones(len(order)), order]), whole, weight)
    coefficients = scale * slopes
    coefficients[0] += level
    return coefficients


def row_of(name: str, sets: dict[str, Learnt]) -> list[object]:
    """Return what constants of the other sets give on one set."""
    others = [each for other, each in sets.items() if other != name]
    own = sets[name]
    probability = expit(own.features @ learn(others))
    accepted = probability >= choose_threshold(probability, AUTOMATIC)
    before = expit(own.features[:, 1])
    accepted_before = before >= choose_threshold(before, AUTOMATIC)
    return [
        name,
        int(accepted_before.sum()),
        before[accepted_before].mean(),
        own.is_whole[accepted_before].mean(),
        int(accepted.sum()),
        probability[accepted].mean(),
        own.is_whole[accepted].mean(),
        own.is_good[accepted].mean(),
    ]


HEADER = "set,n without,expected,whole,n with averages,expected,whole,good"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", nargs="+", choices=MOLECULES, default=list(MOLECULES))
    arguments = parser.parse_args()
    sets = {}
    for seed, name in enumerate(arguments.sets):
        molecule, n_particles = MOLECULES[name]
        folder = arguments.out.resolve() / name
        folder.mkdir(parents=True, exist_ok=True)
        parameters = SimulationParameters(
            structures=(Structure(assembly=molecule),),
            crowd=Crowd(particles_per_micrograph=n_particles),
            seed=100 + seed,
        )
        simulated = make_set(name, parameters, folder, n_micrographs=N_MICROGRAPHS)
        sets[name] = learn_from(simulated, folder)
    level, trust, below, above = learn(list(sets.values()))
    print(f"LEVEL = {level:.2f}\nTRUST = {trust:.2f}")
    print(f"BELOW, ABOVE = {below:.1f}, {above:.1f}\n")
    if len(sets) > 1:
        rows = [row_of(name, sets) for name in sets]
        print(markdown_table(HEADER.split(","), rows))


if __name__ == "__main__":
    main()

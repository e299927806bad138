# SPDX-License-Identifier: GPL-3.0-or-later
"""Test of the paper (Table 2) on EMPIAR-10017: particles against background boxes.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.paper_test            # or: make bench-paper
    python -m benchmarks.consensus.paper_test --folds 2 --epochs 1 --seed 1

The micrographs of trio A are divided into folds. A network is trained on the agreed
picks and drawn negatives of the other folds, as the workflow does, without a look at
the truth. It then scores all expert centres of the fold against as many random boxes
farther than half a box from every expert centre and every pick. The paper's sets were
2000 + 2000 boxes curated by hand; here nothing is curated, the truth is incomplete,
and random boxes share the little free area of crowded micrographs.

One network a fold, as in the paper, and four folds, since six micrographs hold the 500
agreed particles that all three pickers must leave. About 20 minutes on two cores.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets.real_sets import BOX_SIZE, SAMPLING_RATE, RealSet, load_set
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core import (
    BoxPreprocessing,
    Candidates,
    Micrograph,
    ScoredCoordinates,
    TrainingParameters,
    find_consensus,
    score,
    train,
)
from deepconsensus_plugin.core.consensus import choose_min_pickers
from deepconsensus_plugin.core.metrics.classification import (
    ClassificationMetrics,
    classification_metrics,
)
from deepconsensus_plugin.core.negatives import draw_random_negatives
from deepconsensus_plugin.core.preprocessing import fitting_input_size

CONSENSUS_RADIUS_PX = 0.1 * BOX_SIZE
MERGE_RADIUS_PX = 0.3 * BOX_SIZE
EXCLUSION_RADIUS_PX = 0.5 * BOX_SIZE
MIN_POSITIVES = 500

# MCC, accuracy, precision, recall, ROC-AUC, PR-AUC at the best MCC: its Table 2.
PAPER = {
    "paper, EMPIAR-10061": (0.889, 0.944, 0.927, 0.965, 0.982, 0.973),
    "paper, EMPIAR-10028": (0.942, 0.971, 0.958, 0.984, 0.993, 0.989),
}

Coordinates = dict[str, ScoredCoordinates]


@dataclass(frozen=True)
class Fold:
    """Micrographs to learn from and to test on, and the folder for their files."""

    training: tuple[Micrograph, ...]
    testing: tuple[Micrograph, ...]
    folder: Path


def make_folds(real: RealSet, n_folds: int, seed: int, folder: Path) -> list[Fold]:
    """Return folds whose test micrographs are each of the set's once."""
    order = np.random.default_rng(seed).permutation(len(real.micrographs))
    folds = []
    for number, held_out in enumerate(np.array_split(order, n_folds)):
        place = folder / f"fold_{number}"
        place.mkdir()
        testing = tuple(real.micrographs[i] for i in sorted(held_out))
        training = tuple(m for m in real.micrographs if m not in testing)
        folds.append(Fold(training, testing, place))
    return folds


def on(micrographs: tuple[Micrograph, ...], coordinates: Coordinates) -> Coordinates:
    """Return the coordinates of some micrographs."""
    return {micrograph.name: coordinates[micrograph.name] for micrograph in micrographs}


def agreed_picks(candidates: Candidates, fold: Fold) -> Coordinates:
    """Return the AND set of the training micrographs, as the workflow chooses it."""
    names = np.array(candidates.micrographs)[candidates.micrograph_index]
    seen = candidates.take(np.isin(names, [m.name for m in fold.training]))
    least = choose_min_pickers(seen, min_positives=MIN_POSITIVES)
    return on(fold.training, seen.agreed(least))


def random_background(
    micrographs: tuple[Micrograph, ...],
    occupied: Coordinates,
    n_boxes: int,
    rng: np.random.Generator,
) -> Coordinates:
    """Return random boxes farther than half a box from what is `occupied`."""
    return draw_random_negatives(
        micrographs,
        occupied,
        n_boxes,
        box_size=BOX_SIZE,
        exclusion_radius_px=EXCLUSION_RADIUS_PX,
        rng=rng,
    )


def train_on(
    fold: Fold,
    positives: Coordinates,
    negatives: Coordinates,
    parameters: TrainingParameters,
    *,
    input_size: int,
) -> Path:
    """Return the folder of a model trained on a fold."""
    return train(
        fold.training,
        positives,
        negatives,
        fold.folder,
        box_size=BOX_SIZE,
        parameters=parameters,
        preprocessing=BoxPreprocessing(input_size),
    )


def score_boxes(
    fold: Fold, model: Path, coordinates: Coordinates, name: str
) -> NDArray[np.float64]:
    """Return the scores of coordinates of the fold's test micrographs."""
    place = fold.folder / name
    return score(fold.testing, coordinates, model, place, box_size=BOX_SIZE).mean


def evaluate_fold(
    real: RealSet,
    candidates: Candidates,
    fold: Fold,
    parameters: TrainingParameters,
    input_size: int,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return labels and scores of the fold's test boxes."""
    rng = np.random.default_rng(parameters.seed)
    union = candidates.coordinates()
    positives = agreed_picks(candidates, fold)
    n_positives = sum(map(len, positives.values()))
    negatives = random_background(
        fold.training, on(fold.training, union), n_positives, rng
    )
    model = train_on(fold, positives, negatives, parameters, input_size=input_size)
    particles = on(fold.testing, real.truth)
    occupied = {
        name: ScoredCoordinates.from_arrays(np.concatenate([true.yx, union[name].yx]))
        for name, true in particles.items()
    }
    n_particles = sum(map(len, particles.values()))
    background = random_background(fold.testing, occupied, n_particles, rng)
    scored = [
        score_boxes(fold, model, boxes, name)
        for name, boxes in (("particles", particles), ("background", background))
    ]
    return np.repeat([True, False], [*map(len, scored)]), np.concatenate(scored)


def figures_row(name: str, found: ClassificationMetrics) -> list[object]:
    """Return one row in the order of the paper's table."""
    quality = (found.mcc, found.accuracy, found.precision, found.recall)
    counts = f"{found.n_positives} + {found.n_negatives}"
    return [name, *quality, found.roc_auc, found.pr_auc, found.threshold, counts]


def result_table(results: list[tuple[NDArray[np.bool_], NDArray[np.float64]]]) -> str:
    """Return a row for each fold and for all together, beside the paper's."""
    labels, scores = (np.concatenate(parts) for parts in zip(*results, strict=True))
    rows = [
        figures_row(f"fold {number}", classification_metrics(*result))
        for number, result in enumerate(results)
    ]
    rows.append(figures_row("**all folds**", classification_metrics(labels, scores)))
    rows += [[name, *values, None, "2000 + 2000"] for name, values in PAPER.items()]
    header = "set,MCC,accuracy,precision,recall,ROC-AUC,PR-AUC,at score,boxes"
    return markdown_table(header.split(","), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=TrainingParameters.n_epochs)
    parser.add_argument("--updates", type=int, default=TrainingParameters.n_updates)
    parser.add_argument("--models", type=int, default=1)
    parser.add_argument("--rate", type=float, default=TrainingParameters.learning_rate)
    parser.add_argument(
        "--input", type=int, default=fitting_input_size(BOX_SIZE, SAMPLING_RATE)
    )
    parser.add_argument("--seed", type=int, default=TrainingParameters.seed)
    arguments = parser.parse_args()
    parameters = TrainingParameters(
        n_epochs=arguments.epochs,
        n_updates=arguments.updates,
        n_models=arguments.models,
        learning_rate=arguments.rate,
        seed=arguments.seed,
    )
    real = load_set("A")
    candidates = find_consensus(
        real.read_pickers(),
        consensus_radius_px=CONSENSUS_RADIUS_PX,
        merge_radius_px=MERGE_RADIUS_PX,
    )
    with tempfile.TemporaryDirectory() as folder:
        folds = make_folds(real, arguments.folds, arguments.seed, Path(folder))
        results = [
            evaluate_fold(real, candidates, fold, parameters, arguments.input)
            for fold in folds
        ]
    print(result_table(results))


if __name__ == "__main__":
    main()

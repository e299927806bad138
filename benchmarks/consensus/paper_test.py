# SPDX-License-Identifier: GPL-3.0-or-later
"""Test of the paper (Table 2) on EMPIAR-10017, and of the network on candidates.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.paper_test            # or: make bench-paper
    python -m benchmarks.consensus.paper_test --preset paper   # PRESET=paper
    python -m benchmarks.consensus.paper_test --folds 2 --epochs 1 --seed 1

The micrographs of trio A are divided into folds. A network is trained on the agreed
picks and drawn negatives of the other folds, as the workflow does, without a look at
the truth. Two questions are put to it on the micrographs of the fold:

- *random background*: all expert centres against as many random boxes farther than
  half a box from every expert centre and every pick. The paper's sets were 2000 + 2000
  boxes curated by hand; here nothing is curated, the truth is incomplete, and random
  boxes share the little free area of crowded micrographs.
- *candidates*: what users ask. All candidates of the pickers; those that are matched
  one to one with an expert centre within a quarter of the box are particles.

One network a fold, as in the paper, and four folds, since six micrographs hold the 500
agreed particles that all three pickers must leave. About 20 minutes on two cores; the
preset, which trains until convergence on boxes of 128 pixels, takes hours.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.consensus.paper_rows import Labelled, result_table
from benchmarks.sets.real_sets import (
    BOX_SIZE,
    MATCH_RADIUS_PX,
    SAMPLING_RATE,
    RealSet,
    load_set,
)
from deepconsensus_plugin.core import (
    BoxPreprocessing,
    Candidates,
    ConsensusRules,
    DeepConsensusOptions,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
    TrainingParameters,
    find_consensus,
    score,
    train,
)
from deepconsensus_plugin.core import draw_negatives as draw_training_negatives
from deepconsensus_plugin.core.metrics.matching import match_coordinates
from deepconsensus_plugin.core.negatives import draw_random_negatives
from deepconsensus_plugin.core.preprocessing import fitting_input_size

EXCLUSION_RADIUS_PX = 0.5 * BOX_SIZE
QUESTIONS = ("random background", "candidates")

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


def on(
    micrographs: tuple[Micrograph, ...], coordinates: Mapping[str, ScoredCoordinates]
) -> Coordinates:
    """Return the coordinates of some micrographs."""
    return {micrograph.name: coordinates[micrograph.name] for micrograph in micrographs}


def candidates_on(
    micrographs: tuple[Micrograph, ...],
    pickers: list[PickerPicks],
    rules: ConsensusRules,
) -> Candidates:
    """Return the candidates of some micrographs."""
    return find_consensus(
        [replace(p, coordinates=on(micrographs, p.coordinates)) for p in pickers],
        consensus_radius_px=rules.consensus_radius * BOX_SIZE,
        merge_radius_px=rules.merge_radius * BOX_SIZE,
    )


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


def train_on(seen: Candidates, fold: Fold, options: DeepConsensusOptions) -> Path:
    """Return the folder of a model trained on a fold, as the workflow trains it."""
    positives = on(fold.training, seen.agreed(options.consensus.agreeing_on(seen)))
    negatives = draw_training_negatives(
        fold.training,
        seen,
        fold.folder,
        box_size=BOX_SIZE,
        parameters=replace(options.negatives, seed=options.training.seed),
        n_positives=sum(map(len, positives.values())),
    )
    return train(
        fold.training,
        positives,
        negatives,
        fold.folder,
        box_size=BOX_SIZE,
        parameters=options.training,
        preprocessing=options.preprocessing,
    )


def score_boxes(
    fold: Fold, model: Path, coordinates: Coordinates, name: str
) -> NDArray[np.float64]:
    """Return the scores of coordinates of the fold's test micrographs."""
    place = fold.folder / name
    return score(fold.testing, coordinates, model, place, box_size=BOX_SIZE).mean


def label_candidates(found: Coordinates, truth: Coordinates) -> NDArray[np.bool_]:
    """Return which candidates are matched one to one with a true centre."""
    labels = []
    for name, here in found.items():
        matched = np.zeros(len(here), dtype=bool)
        picks, _ = match_coordinates(here.yx, truth[name].yx, MATCH_RADIUS_PX)
        matched[picks] = True
        labels.append(matched)
    return np.concatenate(labels)


def evaluate_fold(
    real: RealSet,
    pickers: list[PickerPicks],
    fold: Fold,
    options: DeepConsensusOptions,
) -> tuple[Labelled, Labelled]:
    """Return labels and scores of the fold's test boxes, for each of `QUESTIONS`."""
    seen = candidates_on(fold.training, pickers, options.consensus)
    model = train_on(seen, fold, options)
    rng = np.random.default_rng(options.training.seed)
    found = candidates_on(fold.testing, pickers, options.consensus).coordinates()
    particles = on(fold.testing, real.truth)
    occupied = {
        name: ScoredCoordinates.from_arrays(np.concatenate([true.yx, found[name].yx]))
        for name, true in particles.items()
    }
    n_particles = sum(map(len, particles.values()))
    background = random_background(fold.testing, occupied, n_particles, rng)
    boxes = {"particles": particles, "background": background, "candidates": found}
    scores = {name: score_boxes(fold, model, x, name) for name, x in boxes.items()}
    tested = [scores["particles"], scores["background"]]
    return (
        (np.repeat([True, False], [*map(len, tested)]), np.concatenate(tested)),
        (label_candidates(found, particles), scores["candidates"]),
    )


def chosen_options(
    arguments: argparse.Namespace, n_pickers: int
) -> DeepConsensusOptions:
    """Return the options of the workflow, or the paper's, with what was given."""
    if arguments.preset == "paper":
        options = DeepConsensusOptions.published(n_pickers)
    else:
        options = DeepConsensusOptions(
            training=TrainingParameters(n_models=1),
            preprocessing=BoxPreprocessing(fitting_input_size(BOX_SIZE, SAMPLING_RATE)),
        )
    named = {
        "n_epochs": arguments.epochs,
        "n_updates": arguments.updates,
        "n_models": arguments.models,
        "learning_rate": arguments.rate,
        "seed": arguments.seed,
    }
    given = {name: value for name, value in named.items() if value is not None}
    size = arguments.input or options.preprocessing.input_size
    return replace(
        options,
        training=replace(options.training, **given),
        preprocessing=BoxPreprocessing(size),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--preset", choices=["", "paper"], default="")
    parser.add_argument("--folds", type=int, default=4)
    for name in ("epochs", "updates", "models", "input", "seed"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--rate", type=float)
    arguments = parser.parse_args()
    real = load_set("A")
    pickers = real.read_pickers()
    options = chosen_options(arguments, len(pickers))
    with tempfile.TemporaryDirectory() as folder:
        folds = make_folds(real, arguments.folds, options.training.seed, Path(folder))
        results = [evaluate_fold(real, pickers, fold, options) for fold in folds]
    for question, answers in zip(QUESTIONS, zip(*results, strict=True), strict=True):
        print(f"\n**{question}**\n")
        print(result_table(list(answers), with_paper=question == QUESTIONS[0]))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Junk of the package beside drawn background, on EMPIAR-10017.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.junk

A network is trained on half of trio A's micrographs, on what the pickers agree on,
against drawn background, against junk, or against both; then it scores the candidates
of the other half. *Pruning*: all candidates, right and wrong, are given as particles to
train on, as `run screen_particles` does, and scored themselves. One network a row and
the workflow's defaults; average precision and area under ROC by the experts' centres.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.consensus.paper_test import (
    Coordinates,
    Fold,
    candidates_on,
    label_candidates,
    make_folds,
    on,
)
from benchmarks.sets.real_sets import BOX_SIZE, SAMPLING_RATE, load_set
from deepconsensus_plugin.core import (
    BoxPreprocessing,
    Candidates,
    ConsensusRules,
    Micrograph,
    TrainingParameters,
    draw_negatives,
    score,
    train,
)
from deepconsensus_plugin.core.deep_consensus.requests import BoxSource
from deepconsensus_plugin.core.io.stacks import centres_of
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.metrics.classification import classification_metrics
from deepconsensus_plugin.core.particle_files.reading import read_particles
from deepconsensus_plugin.core.particle_files.shipped_junk import shipped_junk
from deepconsensus_plugin.core.preprocessing import fitting_input_size
from deepconsensus_plugin.core.types import ParticleImages, ScoredCoordinates
from deepconsensus_plugin.core.workflow.further_boxes import FurtherBoxes

FEW = 20


def junk_boxes(folder: Path) -> FurtherBoxes:
    """Return the shipped junk as further boxes beside boxes of the set."""
    table = read_particles(shipped_junk())
    rate = table.sampling_rate or np.nan
    shown = round(BOX_SIZE * SAMPLING_RATE / rate)
    images = ParticleImages(table.side, shown)
    shape = (len(table) * table.side, table.side)
    stack = Micrograph("junk", table.stacks[0], shape, rate, images=images)
    yx = centres_of(table.index - 1, table.side)
    path = folder / "junk.h5"
    write_coordinates(path, {"junk": ScoredCoordinates.from_arrays(yx)})
    return FurtherBoxes((BoxSource("junk", path, False, believed=True),), (stack,))


def fewer(drawn: Coordinates, n: int) -> Coordinates:
    """Return `n` of the coordinates, of all micrographs alike."""
    each = max(1, n // len(drawn))
    return {
        name: here.take(np.arange(len(here)) < each) for name, here in drawn.items()
    }


def report(
    title: str,
    fold: Fold,
    positives: Coordinates,
    negatives: Coordinates,
    further: FurtherBoxes,
    asked: tuple[tuple[Micrograph, ...], Coordinates, np.ndarray],
) -> None:
    """Train, score what is asked, and print a row."""
    with tempfile.TemporaryDirectory() as folder:
        model = train(
            fold.training,
            positives,
            negatives,
            folder,
            box_size=BOX_SIZE,
            parameters=TrainingParameters(n_models=1, seed=1),
            preprocessing=BoxPreprocessing(fitting_input_size(BOX_SIZE, SAMPLING_RATE)),
            further=further,
        )
        micrographs, coordinates, labels = asked
        scores = score(
            micrographs, coordinates, model, Path(folder) / "s", box_size=BOX_SIZE
        ).mean
    figures = classification_metrics(labels, scores)
    kept = scores >= 0.5
    precision = labels[kept].mean() if kept.any() else np.nan
    recall = labels[kept].sum() / labels.sum()
    print(
        f"| {title} | {figures.pr_auc:.3f} | {figures.roc_auc:.3f} "
        f"| {kept.mean():.2f} | {precision:.3f} | {recall:.3f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", help="titles, separated by commas; all if left out")
    wanted = parser.parse_args().rows
    real, rules = load_set("A"), ConsensusRules()
    pickers = real.read_pickers()
    print("| Negatives | AP | ROC | kept at 0.5 | precision | recall |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        fold = make_folds(real, 2, 1, Path(place))[0]
        seen = candidates_on(fold.training, pickers, rules)
        positives = on(fold.training, seen.agreed(rules.agreeing_on(seen)))
        drawn = _drawn(fold, seen, positives)
        junk, nothing = junk_boxes(Path(place)), FurtherBoxes()
        none = {name: here.take([]) for name, here in drawn.items()}
        found = candidates_on(fold.testing, pickers, rules).coordinates()
        labels = label_candidates(found, on(fold.testing, real.truth))
        picked = fold.testing, found, labels
        given = seen.coordinates()
        labels = label_candidates(given, on(fold.training, real.truth))
        pruned = fold.training, given, labels
        print(f"| pruning, nothing removed | | | 1.00 | {labels.mean():.3f} | 1.000 |")
        for title, particles, negatives, further, asked in (
            ("drawn", positives, drawn, nothing, picked),
            ("drawn and junk", positives, drawn, junk, picked),
            (f"{FEW} drawn", positives, fewer(drawn, FEW), nothing, picked),
            (f"{FEW} drawn and junk", positives, fewer(drawn, FEW), junk, picked),
            ("junk", positives, none, junk, picked),
            ("pruning with drawn", given, drawn, nothing, pruned),
            ("pruning with junk", given, none, junk, pruned),
        ):
            if wanted is None or title in wanted.split(","):
                report(title, fold, particles, negatives, further, asked)


def _drawn(fold: Fold, seen: Candidates, positives: Coordinates) -> Coordinates:
    n_positives = sum(map(len, positives.values()))
    return draw_negatives(
        fold.training, seen, fold.folder, box_size=BOX_SIZE, n_positives=n_positives
    )


if __name__ == "__main__":
    main()

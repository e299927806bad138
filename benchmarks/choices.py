# SPDX-License-Identifier: GPL-3.0-or-later
"""Training settings side by side on EMPIAR-10017: what a default costs and brings.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.choices A:inputSize=64:learningRate=1e-3 A B:minPickers=2

A set's name, then what differs from the defaults; one network unless ``nModels`` says
otherwise. Trains on the agreed picks and drawn negatives of the set, without its truth,
and compares all candidates, and those that score 0.5, with the truth. Minutes a row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.paper_test import (
    CONSENSUS_RADIUS_PX,
    MERGE_RADIUS_PX,
    MIN_POSITIVES,
    Fold,
    random_background,
    score_boxes,
    train_on,
)
from benchmarks.real_sets import MATCH_RADIUS_PX, PICKERS, load_set
from benchmarks.tables import markdown_table
from deepconsensus_plugin.core.consensus import choose_min_pickers, find_consensus
from deepconsensus_plugin.core.metrics import recall_of, summarise_matches
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.parameters import TrainingParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import ScoredCoordinates

HEADER = "setting,agreed,accepted,precision,recall,F1,AP,best F1,good kept,bad kept,s"


@dataclass(frozen=True)
class Choice:
    """A set and the settings to train with; 0 pickers are automatic."""

    text: str
    set_name: str
    parameters: TrainingParameters
    min_pickers: int = 0
    input_size: int = BoxPreprocessing().input_size


def parse_choice(text: str) -> Choice:
    """Return what ``A:learningRate=1e-4:minPickers=2`` asks for."""
    set_name, *words = text.split(":")
    if set_name not in PICKERS:
        raise ValueError(f"expected one of {list(PICKERS)}, received {set_name!r}")
    given = dict(word.split("=", 1) for word in words)
    least = int(given.pop("minPickers", 0))
    size = int(given.pop("inputSize", Choice.input_size))
    numbers = {
        "learningRate": ("learning_rate", float),
        "nEpochs": ("n_epochs", int),
        "nModels": ("n_models", int),
        "maxBoxes": ("max_boxes", int),
        "seed": ("seed", int),
    }
    changes = {numbers[k][0]: numbers[k][1](v) for k, v in given.items()}
    parameters = replace(TrainingParameters(n_models=1), **changes)
    return Choice(text, set_name, parameters, least, size)


def row(choice: Choice) -> list[object]:
    """Train as chosen; returns the figures of `HEADER`."""
    real = load_set(choice.set_name)
    candidates = find_consensus(
        real.read_pickers(),
        consensus_radius_px=CONSENSUS_RADIUS_PX,
        merge_radius_px=MERGE_RADIUS_PX,
    )
    least = choice.min_pickers or choose_min_pickers(
        candidates, min_positives=MIN_POSITIVES
    )
    union, agreed = candidates.coordinates(), candidates.agreed(least)
    n_agreed = sum(map(len, agreed.values()))
    rng = np.random.default_rng(choice.parameters.seed)
    negatives = random_background(real.micrographs, union, n_agreed, rng)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        fold = Fold(real.micrographs, real.micrographs, Path(folder))
        model = train_on(
            fold, agreed, negatives, choice.parameters, input_size=choice.input_size
        )
        seconds = time.monotonic() - started
        scores = score_boxes(fold, model, union)
    ends = np.cumsum([len(here) for here in union.values()])[:-1]
    parts = np.split(scores, ends)
    scored = {
        name: ScoredCoordinates.from_arrays(here.yx, some)
        for (name, here), some in zip(union.items(), parts, strict=True)
    }
    accepted = {name: here.take(here.scores >= 0.5) for name, here in scored.items()}
    every, kept = (
        summarise_matches(match_picks(picks, real.truth, radius_px=MATCH_RADIUS_PX))
        for picks in (scored, accepted)
    )
    labels = [
        recall_of(of, accepted, radius_px=MATCH_RADIUS_PX)
        for of in (real.good, real.bad)
    ]
    at_half = [kept.n_picks, kept.precision, kept.recall, kept.f1]
    ranking = [every.average_precision, every.best_f1]
    return [choice.text, n_agreed, *at_half, *ranking, *labels, round(seconds)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("choices", nargs="+", type=parse_choice, metavar="SET[:NAME=…]")
    arguments = parser.parse_args()
    rows = [row(choice) for choice in arguments.choices]
    print(markdown_table(HEADER.split(","), rows))


if __name__ == "__main__":
    main()

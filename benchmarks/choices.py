# SPDX-License-Identifier: GPL-3.0-or-later
"""Training settings side by side on EMPIAR-10017: what a default costs and brings.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.choices A:inputSize=64:learningRate=1e-3 A B:minPickers=2

A set's name, then what differs from the defaults; one network unless ``nModels`` says
otherwise. Trains on the agreed picks and drawn negatives of the set, without its truth,
and compares with the truth, as `benchmarks.accuracy` does, the network's score at 0.5
and what users get: the probability fused from it and the pickers, at the automatic
threshold. Minutes a setting; two rows each, printed as soon as they are there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.accuracy_rows import HEADER as DETECTION_HEADER
from benchmarks.accuracy_rows import by_micrograph, fused_row
from benchmarks.accuracy_rows import row as detection_row
from benchmarks.paper_test import (
    CONSENSUS_RADIUS_PX,
    MERGE_RADIUS_PX,
    MIN_POSITIVES,
    Fold,
    random_background,
    score_boxes,
    train_on,
)
from benchmarks.real_sets import BOX_SIZE, PICKERS, SAMPLING_RATE, load_set
from benchmarks.tables import cell
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.consensus import choose_min_pickers, find_consensus
from deepconsensus_plugin.core.parameters import TrainingParameters
from deepconsensus_plugin.core.preprocessing import fitting_input_size

HEADER = ["setting", "agreed", "training s", "score", *DETECTION_HEADER[1:]]


@dataclass(frozen=True)
class Choice:
    """A set and the settings to train with; 0 pickers are automatic."""

    text: str
    set_name: str
    parameters: TrainingParameters
    min_pickers: int = 0
    input_size: int = fitting_input_size(BOX_SIZE, SAMPLING_RATE)


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
        "nUpdates": ("n_updates", int),
        "nModels": ("n_models", int),
        "maxBoxes": ("max_boxes", int),
        "seed": ("seed", int),
    }
    changes = {numbers[k][0]: numbers[k][1](v) for k, v in given.items()}
    parameters = replace(TrainingParameters(n_models=1), **changes)
    return Choice(text, set_name, parameters, least, size)


def rows(choice: Choice) -> list[list[object]]:
    """Train as chosen; returns the figures of `HEADER` of the network and fused."""
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
    fusion = fuse(
        Evidence.of_candidates(candidates, scores),
        rng=np.random.default_rng(0),
        n_resamples=0,
    )
    setting = [choice.text, n_agreed, round(seconds)]
    network = detection_row(real, "network", by_micrograph(candidates, scores), 0.5)
    return [
        [*setting, *network],
        [*setting, *fused_row(real, "**fused**", candidates, fusion)],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("choices", nargs="+", type=parse_choice, metavar="SET[:NAME=…]")
    arguments = parser.parse_args()
    _print_row(HEADER)
    _print_row(["---"] * len(HEADER))
    for choice in arguments.choices:
        for row in rows(choice):
            _print_row(row)


def _print_row(cells: list[object]) -> None:
    print(f"| {' | '.join(map(cell, cells))} |", flush=True)


if __name__ == "__main__":
    main()

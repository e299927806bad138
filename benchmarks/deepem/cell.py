# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepEM trained on a set and tried on micrographs that it has not seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from benchmarks.deepem.sets import DeepEMSet
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.metrics.classification import average_precision
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.pickers.deepem import train as train_deepem
from deepconsensus_plugin.core.pickers.deepem.card import DeepEMCard
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    DeepEMRound,
    Initialisation,
    Variant,
)
from deepconsensus_plugin.core.pickers.deepem.picking import (
    MAP_STEP,
    DeepEMPicker,
    load_network,
)
from deepconsensus_plugin.core.pickers.deepem.request import DeepEMTrainRequest
from deepconsensus_plugin.core.pickers.deepem.train import best_round
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

VARIANTS = {
    "modern": DeepEMParameters(),
    "modern, one round": DeepEMParameters(n_rounds=1),
    "published, one round": DeepEMParameters(variant=Variant.PAPER, n_rounds=1),
    "published, weights 0 to 1": DeepEMParameters(
        variant=Variant.PAPER, initialisation=Initialisation.UNIT, n_rounds=1
    ),
}
_SOME_WINDOWS = 1024
_PAPERS_STEP = 20 / 272
"""Pixels between the paper's windows, as a part of its largest box."""


@dataclass(frozen=True)
class Cell:
    """Result of one training, on micrographs never trained on.

    Parameters
    ----------
    rounds : list of DeepEMRound
        On micrographs held out of the training.
    threshold, precision, recall, f2 : float
        At the threshold of the largest F₂ on those.
    average_precision, both : float
        Over all thresholds; `both` is where precision and recall are equal.
    curve : list of list of float
        Recall and precision, thresholds descending.
    train_s, micrograph_s : float
        CPU seconds of the training, and of picking a micrograph.
    windows_s, published_s : float
        CPU seconds of a micrograph box by box, at the same places and at the paper's.
    """

    rounds: list[DeepEMRound]
    threshold: float
    precision: float
    recall: float
    f2: float
    average_precision: float
    both: float
    curve: list[list[float]]
    train_s: float
    micrograph_s: float
    windows_s: float
    published_s: float


def run_cell(learning: DeepEMSet, parameters: DeepEMParameters, folder: Path) -> Cell:
    """Train, pick what was not seen, and return the figures.

    What `folder` holds of an earlier run is kept.
    """
    done, model = folder / "cell.json", folder / "model"
    if done.exists():
        return from_plain(read_json(done), Cell, path=done)
    began = time.process_time()
    _train(learning, parameters, model)
    train_s = time.process_time() - began
    card = load_card_of(model, DeepEMCard)
    network = load_network(model, card)
    picker = DeepEMPicker.of(network, card)
    prepared = {each.name: picker.prepare(each) for each in learning.test}
    last = prepared[learning.test[-1].name]
    picker.find(last)  # compiles
    began = time.process_time()
    found = {name: picker.find(each) for name, each in prepared.items()}
    micrograph_s = (time.process_time() - began) / len(found)
    windows_s, published_s = _window_seconds(network, last.image)
    cell = Cell(
        rounds=card.rounds,
        **_metrics_of_picks(learning, found, card.rounds),
        train_s=train_s,
        micrograph_s=micrograph_s,
        windows_s=windows_s,
        published_s=published_s,
    )
    write_json(done, to_plain(cell))
    return cell


def _train(learning: DeepEMSet, parameters: DeepEMParameters, model: Path) -> None:
    whole = learning.whole
    labels = model.with_name("labels.h5")
    labels.parent.mkdir(parents=True, exist_ok=True)
    write_coordinates(labels, learning.truth(learning.train))
    extent = whole.truth_box_size * learning.train[0].sampling_rate
    learnt = LearningInput(
        micrographs=learning.train,
        labels=labels,
        set_name=whole.name,
        box_size=whole.truth_box_size,
        particle_diameter_A=whole.diameter_A,
        pixel_size_A=extent / parameters.input_size,
    )
    train_deepem.run(DeepEMTrainRequest(learnt, parameters, model), Progress())


def _metrics_of_picks(
    learning: DeepEMSet,
    found: Mapping[str, ScoredCoordinates],
    rounds: list[DeepEMRound],
) -> dict[str, object]:
    """Return the figures of a cell that come from the picks."""
    chosen = rounds[best_round(rounds)].operating_point
    if chosen is None:
        raise ValueError("expected a round that finds particles, received none")
    matched = match_picks(
        found, learning.truth(learning.test), radius_px=learning.whole.match_radius_px
    )
    counts, n_truth = matched.counts_at_thresholds(), int(matched.n_truth.sum())
    precision, recall = counts.n_true / counts.n_accepted, counts.n_true / n_truth
    at = int(np.count_nonzero(counts.thresholds >= chosen.threshold)) - 1
    here, there = float(precision[at]), float(recall[at])
    return {
        "threshold": chosen.threshold,
        "precision": here,
        "recall": there,
        "f2": 5 * here * there / (4 * here + there),
        "average_precision": average_precision(counts, n_truth),
        "both": float(np.minimum(precision, recall).max()),
        "curve": np.column_stack([recall, precision]).tolist(),
    }


def _window_seconds(network: keras.Model, image: np.ndarray) -> tuple[float, float]:
    """Return CPU seconds of all windows of an image, at our places and the paper's."""
    side = network.input_shape[1]
    places = MAP_STEP * np.argwhere(np.ones([-(-n // MAP_STEP) for n in image.shape]))
    some = places[:: max(1, len(places) // _SOME_WINDOWS)].astype(float)
    seconds = _cpu_seconds(lambda: _score_windows(network, image, some, side))
    of_all = seconds * len(places) / len(some)
    return of_all, of_all * (MAP_STEP / (_PAPERS_STEP * side)) ** 2


def _score_windows(
    network: keras.Model, image: np.ndarray, places: np.ndarray, side: int
) -> np.ndarray:
    """Return the mean over four turns of boxes cut out one by one."""
    boxes = extract_boxes(image, places, side)
    turned = [np.rot90(boxes, turn, axes=(1, 2))[..., None] for turn in range(4)]
    return np.mean([network.predict_on_batch(each) for each in turned], axis=0)


def _cpu_seconds(work: Callable[[], object]) -> float:
    work()  # compiles
    before = time.process_time()
    work()
    return time.process_time() - before

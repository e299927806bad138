# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepEM on simulated and real micrographs: round by round, paper's and modern; speed.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.deepem OUT [--sets klh-like,…] [--parts sets,variants,speed]

All particles of some micrographs are labelled, as the paper's users do; the others are
never seen. The threshold is that of the largest F₂ on micrographs held out of the
training. Everything is matched within 0.25 of the box. Sets and trainings that are in
OUT are kept. On two cores 20 min.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from benchmarks.simulated_sets import make_set
from benchmarks.tables import markdown_table
from benchmarks.truth_sets import TruthSet, load_truth_set
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.models.kinds import load_card_of
from deepconsensus_plugin.core.models.picker_card import DeepEMCard
from deepconsensus_plugin.core.models.picker_store import load_picker_network
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    Initialisation,
    Variant,
)
from deepconsensus_plugin.core.pickers.deepem.picking import DeepEMPicker
from deepconsensus_plugin.core.pickers.trained import load_picker
from deepconsensus_plugin.core.pipeline import network_pick, train_deepem
from deepconsensus_plugin.core.pipeline.deepem_requests import DeepEMTrainRequest
from deepconsensus_plugin.core.pipeline.picker_requests import (
    LearningInput,
    NetworkPickRequest,
)
from deepconsensus_plugin.core.simulation import (
    Crowd,
    Phantom,
    SimulationParameters,
    Structure,
)

PARTS = ("sets", "variants", "speed")
N_SIMULATED = 16
TWO_VIEWS = Crowd(tilt_spread_deg=8.0)
"""Molecules that lie on their ends or sides, as those of KLH do."""

SIMULATED = {
    "klh-like": replace(TWO_VIEWS, particles_per_micrograph=60),
    "sparse": replace(TWO_VIEWS, particles_per_micrograph=8),
    "crowded": replace(TWO_VIEWS, particles_per_micrograph=160),
}
REAL = {"apoferritin": 5, "empiar10017": 6}
"""Real sets, and micrographs of each to learn from; half of the simulated ones."""

VARIANTS = {
    "modern": DeepEMParameters(),
    "paper's": DeepEMParameters(variant=Variant.PAPER),
    "paper's, weights 0 – 1": DeepEMParameters(
        variant=Variant.PAPER, initialisation=Initialisation.UNIT
    ),
}
"""For the comparison of variants."""

_CURVE_RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_WINDOW_STEP, _SOME_WINDOWS = 4, 1024


@dataclass(frozen=True)
class Trained:
    """A picker, and what it was trained and is to be tried on."""

    whole: TruthSet
    n_train: int
    model: Path

    @property
    def truth(self) -> dict:
        """True centres of the micrographs that were never seen."""
        unseen = self.whole.micrographs[self.n_train :]
        return {each.name: self.whole.truth[each.name] for each in unseen}


def load(name: str, folder: Path) -> tuple[TruthSet, int]:
    """Return a set, and how many of its micrographs are to learn from."""
    if name in REAL:
        return load_truth_set(name, folder), REAL[name]
    parameters = SimulationParameters(
        structures=(Structure(Phantom.BARREL),), crowd=SIMULATED[name], seed=9
    )
    made = make_set(name, parameters, folder / name, n_micrographs=N_SIMULATED)
    return made.whole, N_SIMULATED // 2


def train(
    name: str, folder: Path, parameters: DeepEMParameters, *, key: str = "defaults"
) -> Trained:
    """Train on all particles of some micrographs; a picker that is there is kept."""
    whole, n_train = load(name, folder)
    trained = Trained(whole, n_train, folder / name / key / "model")
    if (trained.model / "card.json").exists():
        return trained
    micrographs = whole.micrographs[:n_train]
    labels = trained.model.with_name("labels.h5")
    labels.parent.mkdir(parents=True, exist_ok=True)
    write_coordinates(
        labels, {each.name: whole.truth[each.name] for each in micrographs}
    )
    extent = whole.truth_box_size * micrographs[0].sampling_rate
    learnt = LearningInput(
        micrographs=micrographs,
        labels=labels,
        set_name=name,
        box_size=whole.truth_box_size,
        particle_diameter_A=whole.diameter_A,
        pixel_size_A=extent / parameters.input_size,
    )
    request = DeepEMTrainRequest(learnt, parameters, trained.model)
    result = train_deepem.run(request, Progress())
    seconds = sum(
        cost.seconds for stage, cost in result.timings.items() if "train" in stage
    )
    print(f"{name}, {key}: trained in {seconds:.0f} s", flush=True)
    return trained


def pick(trained: Trained, *, threshold: float) -> tuple[dict, float]:
    """Return picks of the micrographs never seen, and seconds of one."""
    folder = trained.model.parent
    request = NetworkPickRequest(
        micrographs=trained.whole.micrographs[trained.n_train :],
        model=trained.model,
        found=folder / "found",
        result=folder / "picks.h5",
        threshold=threshold,
    )
    result = network_pick.run(request, Progress())
    seconds = result.timings["pick"].seconds / len(request.micrographs)
    found = network_pick.find_all(request, Progress())
    return dict(found), seconds


def rounds_and_figures(name: str, folder: Path) -> str:
    """Return a table of the rounds, and of the picker on micrographs never seen."""
    trained = train(name, folder, DeepEMParameters())
    card = load_card_of(trained.model, DeepEMCard)
    rows: list[list[object]] = [
        [f"round {r.number}", r.n_particles, r.n_others, r.accuracy]
        + ([""] * 4 if (best := r.operating_point) is None else
           [best.precision, best.recall, best.f2, best.threshold])
        for r in card.rounds
    ]  # fmt: skip
    point = max(
        (r.operating_point for r in card.rounds if r.operating_point is not None),
        key=lambda each: each.f2,
    )
    found, seconds = pick(trained, threshold=point.threshold)
    radius = 0.25 * trained.whole.truth_box_size
    figures = evaluate_detections(
        found, trained.truth, radius_px=radius, threshold=point.threshold
    )
    f2 = (
        5
        * figures.precision
        * figures.recall
        / max(4 * figures.precision + figures.recall, 1e-9)
    )
    rows.append(
        ["unseen", "", "", "", figures.precision, figures.recall, f2, point.threshold]
    )
    header = f"{name}|particles|others|accuracy|precision|recall|F2|at log-odds"
    table = markdown_table(header.split("|"), rows)
    return (
        f"{table}\n\nAverage precision {figures.average_precision:.3f}, best F1 "
        f"{figures.best_f1:.3f}; {_curve(found, trained.truth, radius)}; "
        f"{1 / seconds:.2f} micrographs/s."
    )


def _curve(found: dict, truth: dict, radius: float) -> str:
    """Return precision at some recalls, and where precision and recall are equal."""
    matched = match_picks(found, truth, radius_px=radius)
    counts, n_truth = matched.counts_at_thresholds(), matched.n_truth.sum()
    precision, recall = counts.n_true / counts.n_accepted, counts.n_true / n_truth
    both = np.minimum(precision, recall).max()
    parts = [
        f"{precision[recall >= wanted].max():.3f} at {wanted:g}"
        for wanted in _CURVE_RECALLS
        if (recall >= wanted).any()
    ]
    return f"both {both:.3f}; precision {', '.join(parts)} recall"


def variants(name: str, folder: Path) -> str:
    """Return one row a variant: the first round alone, then all."""
    rows = []
    for label, parameters in VARIANTS.items():
        key = label.replace(" ", "-").replace(",", "").replace("'", "")
        trained = train(name, folder, replace(parameters, n_rounds=1), key=key)
        found, _ = pick(trained, threshold=0.0)
        radius = 0.25 * trained.whole.truth_box_size
        figures = evaluate_detections(found, trained.truth, radius_px=radius)
        accuracy = load_card_of(trained.model, DeepEMCard).rounds[0].accuracy
        rows.append([label, accuracy, figures.average_precision, figures.best_f1])
    return markdown_table([f"{name}, one round", "accuracy", "AP", "best F1"], rows)


def speed(name: str, folder: Path) -> str:
    """Return what a micrograph costs at once, and box by box, as the paper does it."""
    trained = train(name, folder, DeepEMParameters())
    picker, network = load_picker(trained.model), load_picker_network(trained.model)
    card = load_card_of(trained.model, DeepEMCard)
    prepared = picker.prepare(trained.whole.micrographs[-1])
    side = card.training.input_size
    picker = DeepEMPicker.of(network, card)
    dense = _cpu_seconds(lambda: picker.score(prepared.image))
    places = np.argwhere(np.ones([n // _WINDOW_STEP for n in prepared.image.shape]))
    some = _WINDOW_STEP * places[:: max(1, len(places) // _SOME_WINDOWS)]
    windows = _cpu_seconds(lambda: _score_windows(network, prepared.image, some, side))
    of_all = windows * len(places) / len(some)
    published = of_all * (_WINDOW_STEP / (20 / 272 * side)) ** 2
    rows = [
        ["at once, every 4th pixel", dense, 1.0],
        ["box by box, every 4th pixel", of_all, of_all / dense],
        ["box by box, every 20th of 272 pixels", published, published / dense],
    ]
    return markdown_table([name, "CPU s a micrograph", "times"], rows)


def _score_windows(
    network: keras.Model, image: np.ndarray, places: np.ndarray, side: int
) -> np.ndarray:
    """Return the mean over four turns of boxes cut out one by one."""
    boxes = extract_boxes(image, places.astype(float), side)
    turned = [np.rot90(boxes, turn, axes=(1, 2))[..., None] for turn in range(4)]
    return np.mean([network.predict_on_batch(each) for each in turned], axis=0)


def _cpu_seconds(work: Callable[[], object]) -> float:
    work()  # compiles
    before = time.process_time()
    work()
    return time.process_time() - before


def _tables(parts: list[str], sets: list[str], folder: Path) -> Iterator[str]:
    if "sets" in parts:
        yield from (rounds_and_figures(name, folder) for name in sets)
    if "variants" in parts:
        yield variants(sets[0], folder)
    if "speed" in parts:
        yield speed(sets[0], folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default=",".join([*SIMULATED, *REAL]))
    parser.add_argument("--parts", default=",".join(PARTS))
    asked = parser.parse_args()
    for text in _tables(asked.parts.split(","), asked.sets.split(","), asked.folder):
        print(text, end="\n\n", flush=True)


if __name__ == "__main__":
    main()

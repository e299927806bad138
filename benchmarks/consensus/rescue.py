# SPDX-License-Identifier: GPL-3.0-or-later
"""Topaz trained on what deep consensus accepted, to find what no picker found.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.rescue OUT [weak A B]

OUT holds finished projects, as ``benchmarks.consensus.real_data OUT --run`` leaves
them. The accepted coordinates are labels; the form's defaults train on them, and of the
same micrographs as many places are picked as training reckoned with. The truth is used
for evaluation only. A training that OUT holds is kept. Three minutes a set.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import compress
from pathlib import Path

import numpy as np

from benchmarks.sets.real_sets import BOX_SIZE, MATCH_RADIUS_PX, SAMPLING_RATE, load_set
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.grouping import group_coordinates
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.networks.card import CARD_FILE
from deepconsensus_plugin.core.pickers.topaz import train as train_topaz
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.topaz.request import TopazTrainRequest
from deepconsensus_plugin.core.pickers.trained.prepared import PIXELS_PER_DIAMETER
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.pipeline import network_pick
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

_DIAMETER_A = 2 / 3 * BOX_SIZE * SAMPLING_RATE
_MERGE_RADIUS_PX = 0.3 * BOX_SIZE
_HEADER = "picks,n,precision,recall,F1,AP,best F1,expected precision"


def rescue(name: str, out: Path) -> str:
    """Return the table of a set: candidates, accepted, Topaz, and what is new of it."""
    real, project = load_set(name), out / name
    candidates, accepted = _read_scored(project / "scores.csv")
    folder = project / "rescue"
    folder.mkdir(exist_ok=True)
    write_coordinates(folder / "labels.h5", accepted)
    write_coordinates(folder / "known.h5", candidates)
    if not (folder / "model" / CARD_FILE).is_file():
        _train(real.micrographs, folder)
    asked = _request(real.micrographs, folder)
    made = network_pick.run(asked, Progress())
    found = network_pick.find_all(asked, Progress())
    rows = [
        _row("candidates of the pickers", candidates, real.truth),
        _row("accepted", accepted, real.truth),
        _row(
            "Topaz",
            found,
            real.truth,
            made.expected_precision,
            threshold=made.threshold,
        ),
        _row(
            "of them new",
            read_coordinates(folder / "missed.h5"),
            real.truth,
            made.expected_missed_precision,
        ),
    ]
    return markdown_table(_HEADER.split(","), rows)


def _train(micrographs: Sequence[Micrograph], folder: Path) -> None:
    """Train Topaz on the accepted particles."""
    learnt = LearningInput(
        micrographs=micrographs,
        labels=folder / "labels.h5",
        set_name="accepted",
        box_size=BOX_SIZE,
        particle_diameter_A=_DIAMETER_A,
        pixel_size_A=_DIAMETER_A / PIXELS_PER_DIAMETER,
    )
    request = TopazTrainRequest(learnt, TopazParameters(), folder / "model")
    train_topaz.run(request, Progress())


def _request(micrographs: Sequence[Micrograph], folder: Path) -> NetworkPickRequest:
    """Return the request of as many picks as the training expects particles."""
    card = load_card_of(folder / "model", TopazCard)
    return NetworkPickRequest(
        micrographs,
        folder / "model",
        folder / "found",
        folder / "picks.h5",
        n_expected=round(card.n_particles * len(micrographs)),
        known=folder / "known.h5",
        missed=folder / "missed.h5",
        known_radius_px=_MERGE_RADIUS_PX,
    )


def _read_scored(
    path: Path,
) -> tuple[dict[str, ScoredCoordinates], dict[str, ScoredCoordinates]]:
    """Return all candidates of a run, and those that it accepted."""
    table = read_scores_csv(path)
    names = sorted(set(table.micrograph))
    all_of, accepted = (
        group_coordinates(
            list(compress(table.micrograph, chosen.tolist())),
            table.yx[chosen],
            table.score[chosen],
            micrographs=names,
        )
        for chosen in (np.ones(len(table), dtype=bool), table.accepted)
    )
    return all_of, accepted


def _row(
    name: str,
    picks: dict[str, ScoredCoordinates],
    truth: dict[str, ScoredCoordinates],
    expected: float = float("nan"),
    *,
    threshold: float | None = None,
) -> list[object]:
    found = evaluate_detections(
        picks, truth, radius_px=MATCH_RADIUS_PX, threshold=threshold
    )
    return [
        *(name, found.n_accepted, found.precision, found.recall, found.f1),
        *(found.average_precision, found.best_f1, expected),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="*", default=["weak"])
    asked = parser.parse_args()
    for name in asked.sets:
        print(f"### {name}\n\n{rescue(name, asked.folder)}\n", flush=True)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""All pickers on real micrographs that the trained ones have not seen.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.trained_pickers RESULTS

DeepEM learns from all particles of the other micrographs, Topaz from 200 of them, the
pickers without training get the diameter. Each picks at its own threshold: DeepEM's is
that of the largest F₂, Topaz's of the largest F1 on micrographs held out. What
``make bench-deepem`` and ``make bench-topaz`` left in RESULTS is kept.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.consensus.pickers import PICKERS, figures, figures_of
from benchmarks.deepem.cell import VARIANTS, run_cell
from benchmarks.deepem.sets import REAL, DeepEMSet
from benchmarks.deepem.sets import load_set as load_deepem_set
from benchmarks.sets.picking_sets import HEADER
from benchmarks.sets.tables import markdown_table
from benchmarks.sets.truth_sets import Marks
from benchmarks.topaz.tables import real_cell
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pipeline.network_pick import find_all
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest


def table(name: str, results: Path) -> str:
    """Return one row a picker."""
    learning = load_deepem_set(name, results / "deepem")
    rows = [_untrained_row(learning, each) for each in PICKERS]
    deepem = results / "deepem" / name / "modern"
    cell = run_cell(learning, VARIANTS["modern"], deepem)
    rows.append(
        ["DeepEM", *_evaluate_model(learning, deepem / "model", cell.threshold)]
    )
    topaz, _ = real_cell(name, results / "topaz")
    card = load_card_of(topaz / "model", PickerCard)
    best = card.validation.best_threshold if card.validation else None
    rows.append(
        ["Topaz, 200 labels", *_evaluate_model(learning, topaz / "model", best or 0)]
    )
    return markdown_table(HEADER.split(","), rows)


def _untrained_row(learning: DeepEMSet, name: str) -> list[object]:
    parameters = PickParameters(learning.whole.diameter_A, **PICKERS[name])
    with tempfile.TemporaryDirectory() as folder:
        result, row = figures(
            learning.test,
            learning.truth(learning.test),
            parameters,
            Path(folder),
            radius_px=learning.whole.match_radius_px,
        )
    return [name if result.is_separated else f"{name} (all peaks)", *row]


def _evaluate_model(learning: DeepEMSet, model: Path, threshold: float) -> list[object]:
    """Return the figures of a model's picks."""
    found = _found(learning, model)
    metrics = evaluate_detections(
        found,
        learning.truth(learning.test),
        radius_px=learning.whole.match_radius_px,
        threshold=threshold,
    )
    return figures_of(metrics, threshold)


def _found(learning: DeepEMSet, model: Path) -> Marks:
    with tempfile.TemporaryDirectory() as folder:
        request = NetworkPickRequest(
            learning.test, model, Path(folder), Path(folder) / "picks.h5"
        )
        return dict(find_all(request, Progress()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    asked = parser.parse_args()
    for name in REAL:
        print(f"### {name}\n\n{table(name, asked.results)}\n", flush=True)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the network of contaminants, and its figures.

    python -m benchmarks.areas OUT [--figures]

simulates what is missing of the examples, trains, chooses the threshold on scenes of
other molecules, and writes the model to OUT/model. ``--figures`` measures
that model on scenes to test on, beside the rule; nothing is trained then.
Examples that are there are not simulated again.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.areas.evaluation import (
    MOST_PARTICLES_LOST,
    choose_threshold,
    figures_of,
)
from benchmarks.areas.examples import make_examples
from benchmarks.areas.lessons import draw_lessons
from benchmarks.areas.masks import network_mask, network_probability
from benchmarks.areas.scenes import PIXEL_SIZES_A, Split
from benchmarks.areas.training import Schedule, train
from deepconsensus_plugin.core.usable_area.contaminant_network import write_network

N_EXAMPLES = {Split.TRAIN: 1200, Split.VALIDATION: 96, Split.TEST: 48}


def make_model(folder: Path, model: Path, schedule: Schedule) -> None:
    """Train a network on the examples in `folder`, and write it to `model`."""
    examples = folder / "examples"
    training = make_examples(examples, Split.TRAIN, N_EXAMPLES[Split.TRAIN])
    lessons = [*draw_lessons(training, schedule.renderings, schedule.seed)]
    del training
    network = train(lessons, schedule)
    held_out = make_examples(examples, Split.VALIDATION, N_EXAMPLES[Split.VALIDATION])
    threshold = choose_threshold(
        held_out, [network_probability(each, network) for each in held_out]
    )
    network = replace(network, threshold=threshold)
    figures = figures_of(held_out, lambda each: network_mask(each, network))
    card = {
        "description": "Network of contaminants: carbon, ice crystals and others.",
        "sources": "Simulated micrographs (benchmarks/areas/scenes.py) alone.",
        "examples": {split.value: n for split, n in N_EXAMPLES.items()},
        "schedule": asdict(schedule),
        "pixel_sizes_A": list(PIXEL_SIZES_A),
        "threshold": threshold,
        "threshold_chosen_by": "best IoU on validation scenes among thresholds that "
        f"lose at most {100 * MOST_PARTICLES_LOST:g} % of the particles there",
        "validation": {
            "iou": round(figures.iou, 3),
            "recall": {
                kind.label: round(figures.n_found[kind] / max(n, 1), 3)
                for kind, n in figures.n_true.items()
            },
            "share_of_particles_lost": round(figures.share_lost, 5),
        },
    }
    write_network(model, network, card)
    print(card["validation"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=Schedule.epochs)
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--demo", type=int, default=14, help="micrographs of a seed")
    asked = parser.parse_args()
    model = asked.folder / "model"
    if asked.figures:
        from benchmarks.areas.figures import print_figures

        print_figures(
            asked.folder / "examples", model, N_EXAMPLES[Split.TEST], asked.demo
        )
        return
    make_model(asked.folder, model, Schedule(epochs=asked.epochs))


if __name__ == "__main__":
    main()

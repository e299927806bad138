# SPDX-License-Identifier: GPL-3.0-or-later
"""General HydraPicker that comes with the package, trained on the corpus' sources.

    python -m benchmarks.hydra.general CORPUS OUT [--ship DIR] [--quick | --thesis]

A killed training goes on where it was: the same command again. Targets are never looked
at. OUT gets the model with every head, DIR the same with its general head alone.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.hydra.corpus import CorpusSet, load_corpus
from benchmarks.hydra.samples import Role
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.pickers.hydra import train as train_hydra
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    ARCHITECTURES,
    HydraParameters,
    Preset,
)
from deepconsensus_plugin.core.pickers.hydra.request import HydraTrainRequest
from deepconsensus_plugin.core.pickers.hydra.store import load_hydra, save_hydra
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput

QUICK = HydraParameters(
    n_epochs=12, n_head_epochs=3, n_updates=250, restart_epochs=12, learning_rate=2e-3
)
"""On a processor: 3000 and 750 updates, some forty minutes on one core."""

LONG = replace(QUICK, n_epochs=80, n_head_epochs=6, n_updates=250, restart_epochs=80)
"""On a processor: 20 000 and 1500 updates, some hours on two cores."""

THESIS = HydraParameters(
    architecture=ARCHITECTURES[Preset.THESIS],
    n_epochs=1200,
    n_head_epochs=100,
    n_updates=100,
    restart_epochs=40,
)
"""On a GPU: as published, up to where little more was gained."""


def learning_input(own: CorpusSet, folder: Path) -> LearningInput:
    """Return what is learnt of a set: its micrographs but those for tests.

    The first micrographs for validation are those held out, since a share is drawn.
    """
    micrographs = (*own.train, *own.validation)
    labels = folder / f"{own.name}.h5"
    folder.mkdir(parents=True, exist_ok=True)
    write_coordinates(labels, {m.name: own.truth[m.name] for m in micrographs})
    counts = [len(own.truth[each.name]) for each in micrographs]
    return LearningInput(
        micrographs=micrographs,
        labels=labels,
        set_name=own.name,
        box_size=round(own.diameter_px),
        particle_diameter_A=own.diameter_A,
        pixel_size_A=own.sampling_rate,
        n_particles=float(np.mean(counts)),
        validation_fraction=len(own.validation) / len(micrographs),
    )


def train_general(
    corpus: Path, model: Path, parameters: HydraParameters, *, n_sets: int | None = None
) -> HydraCard:
    """Train on the sources of a corpus, and return the model's card."""
    sources = load_corpus(corpus, Role.SOURCE)[:n_sets]
    folder = model.with_name(f"{model.name}-labels")
    request = HydraTrainRequest(
        tuple(learning_input(each, folder) for each in sources), parameters, model
    )
    train_hydra.run(request, Progress(model.with_name(f"{model.name}.progress.json")))
    return load_card_of(model, HydraCard)


def with_one_head(parameters: HydraParameters) -> HydraParameters:
    """Return a training as long, in which one head learns all sources to the end."""
    n_epochs = parameters.n_epochs + parameters.n_head_epochs
    # Where the learning rate fell once only, so it does here.
    fell_once = parameters.restart_epochs == parameters.n_epochs
    return replace(
        parameters,
        n_epochs=n_epochs,
        n_head_epochs=0,
        restart_epochs=n_epochs if fell_once else parameters.restart_epochs,
    )


def keep_general(model: Path, folder: Path) -> None:
    """Write a model again with its general head alone."""
    card = load_card_of(model, HydraCard)
    body, heads = load_hydra(model, card)
    save_hydra(folder, body, heads[:1], replace(card, heads=card.heads[:1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model", type=Path, help="folder of the model, with all heads")
    parser.add_argument("--ship", type=Path, help="folder for the general head alone")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="some forty minutes")
    length.add_argument("--thesis", action="store_true", help="as published")
    parser.add_argument("--epochs", type=int, nargs=2, help="with one head, with all")
    parser.add_argument("--sets", type=int, help="the first so many")
    parser.add_argument(
        "--one-head", action="store_true", help="for comparison: as many epochs"
    )
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("deepconsensus_plugin.core.pickers.trained.training").setLevel(
        "DEBUG"
    )
    parameters = THESIS if asked.thesis else QUICK if asked.quick else LONG
    if asked.epochs:
        n_epochs, n_head_epochs = asked.epochs
        parameters = replace(parameters, n_epochs=n_epochs, n_head_epochs=n_head_epochs)
    if asked.one_head:
        parameters = with_one_head(parameters)
    card = train_general(asked.corpus, asked.model, parameters, n_sets=asked.sets)
    for head in card.heads:
        if head.validation is not None:
            print(f"{head.name}: {head.validation.average_precision:.3f}")
    if asked.ship:
        keep_general(asked.model, asked.ship)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the HydraPicker that comes with the package."""

from __future__ import annotations

import mrcfile
import pytest

from deepconsensus_plugin.core.methods import load_card_of, load_picker
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.simulation import (
    Crowd,
    SimulationParameters,
    simulate_micrograph,
)
from deepconsensus_plugin.core.simulation.truth import ObjectClass
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

NAME = "unseen.mrc"
UNSEEN = SimulationParameters(
    shape=(1024, 1024), crowd=Crowd(particles_per_micrograph=50), seed=3
)
"""The simulator's tetramers, which are like no molecule that the model learnt from."""


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    """Return a micrograph, its particles by themselves, and their diameter."""
    made = simulate_micrograph(UNSEEN, 0)
    path = tmp_path_factory.mktemp("unseen") / NAME
    mrcfile.write(path, made.image)
    good = [x for x in made.objects if x.object_class is ObjectClass.GOOD]
    truth = ScoredCoordinates.from_arrays([(each.y, each.x) for each in good])
    micrograph = Micrograph(NAME, path, UNSEEN.shape, UNSEEN.sampling_rate)
    return micrograph, truth, good[0].diameter_A


def test_it_is_small_and_says_what_it_learnt():
    folder = general_model()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 15e6
    card = load_card_of(folder, HydraCard)
    assert [head.name for head in card.heads] == [GENERAL]
    assert len(card.training_sets) >= 24
    # Figures on its sources are not those of what it is shown.
    assert card.validation is not None
    assert card.validation_of(HydraPickOptions(GENERAL, 100.0)) is None


@pytest.mark.slow
def test_it_finds_most_of_what_it_never_saw(unseen):
    micrograph, truth, diameter_A = unseen
    picker = load_picker(general_model(), HydraPickOptions(GENERAL, diameter_A))
    found = picker.find(picker.prepare(micrograph))
    figures = evaluate_detections(
        {NAME: found},
        {NAME: truth},
        radius_px=diameter_A / UNSEEN.sampling_rate / 4,
    )
    assert figures.recall > 0.9
    assert figures.average_precision > 0.5  # fragments and others count as wrong

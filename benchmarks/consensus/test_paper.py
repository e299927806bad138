# SPDX-License-Identifier: GPL-3.0-or-later
"""The test of the paper: labels of candidates, and the options of its preset."""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.consensus.paper_test import (
    MATCH_RADIUS_PX,
    chosen_options,
    label_candidates,
)
from deepconsensus_plugin.core import (
    DeepConsensusOptions,
    ScoredCoordinates,
    TrainingParameters,
)

_NOTHING_GIVEN = dict.fromkeys(
    ["epochs", "updates", "models", "rate", "input", "seed"], None
)


def _at(*yx: tuple[float, float]) -> ScoredCoordinates:
    return ScoredCoordinates.from_arrays(np.array(yx, dtype=float).reshape(-1, 2))


def test_a_candidate_is_a_particle_if_a_centre_is_its_own():
    near = MATCH_RADIUS_PX - 1
    found = {"a": _at((0, 0), (0, near), (500, 500)), "b": _at((9, 9))}
    truth = {"a": _at((0, 1)), "b": _at()}
    assert label_candidates(found, truth).tolist() == [True, False, False, False]


def test_the_preset_is_the_one_of_the_library():
    given = argparse.Namespace(preset="paper", **_NOTHING_GIVEN)
    assert chosen_options(given, 3) == DeepConsensusOptions.published(3)
    given = argparse.Namespace(preset="", **(_NOTHING_GIVEN | {"epochs": 2}))
    assert chosen_options(given, 3).training == TrainingParameters(
        n_models=1, n_epochs=2
    )

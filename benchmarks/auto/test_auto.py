# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of diameters: samples and training are as meant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.auto.lessons import Lesson, filter_scene
from benchmarks.auto.molecules import draw_sample
from benchmarks.auto.training import Schedule, train
from benchmarks.hydra.samples import SAMPLES, Role
from deepconsensus_plugin.core.pickers.diameter.looks import (
    N_FEATURES,
    TRIALS_A,
    Scene,
)


def test_a_number_is_one_sample_and_none_is_a_target():
    assert draw_sample(7) == draw_sample(7)
    drawn = [draw_sample(number).molecule for number in range(50)]
    assert len({each.seed for each in drawn}) == 50
    targets = [each.molecule for each in SAMPLES if each.role is Role.TARGET]
    assert not [each for each in drawn if each in targets]


def test_filters_keep_the_scene_and_its_level():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(64, 64)).astype(np.float32)
    scene = Scene(image, np.ones(image.shape, bool), 3.0)
    for seed in range(6):
        seen = filter_scene(scene, 30.0, np.random.default_rng(seed))
        assert seen.image.shape == image.shape
        assert abs(float(np.median(seen.image))) < 1e-3
        assert abs(float(seen.image.std()) - 1) < 1e-3


def test_a_network_learns_at_which_trial_the_looks_are_odd():
    rng = np.random.default_rng(0)

    def lesson(number, trial):
        looks = rng.normal(size=(len(TRIALS_A), N_FEATURES))
        if trial is not None:
            looks[trial, :10] += 4
        true = np.nan if trial is None else float(TRIALS_A[trial])
        return Lesson(number, looks, true)

    trials = [*rng.integers(1, len(TRIALS_A) - 1, 60).tolist(), *[None] * 12]
    schedule = replace(Schedule(), epochs=25, n_members=1)
    network = train([lesson(k, t) for k, t in enumerate(trials)], schedule)
    found = [network.probabilities(lesson(0, t).looks).argmax() for t in (3, 8, 15)]
    assert found == [3, 8, 15]
    none = [network.probabilities(lesson(0, t).looks)[-1] for t in (None, 8)]
    assert none[0] > none[1]

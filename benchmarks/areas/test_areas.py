# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of contaminants: examples, training and figures are as meant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.areas import scenes
from benchmarks.areas.evaluation import choose_threshold, figures_of
from benchmarks.areas.examples import Example, read_or_make
from benchmarks.areas.lessons import draw_lessons
from benchmarks.areas.masks import network_mask
from benchmarks.areas.scenes import SCENES_PER_MOLECULE, Split, draw_scene
from benchmarks.areas.training import Schedule, train
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    SimulationParameters,
)
from deepconsensus_plugin.core.usable_area.contaminant_features import N_FEATURES
from deepconsensus_plugin.core.usable_area.kinds import AreaKind


@pytest.fixture
def example():
    rng = np.random.default_rng(1)
    image = rng.normal(100, 10, (200, 230)).astype(np.float32)
    kinds = np.zeros(image.shape, np.uint8)
    kinds[:, 150:] = AreaKind.CARBON
    kinds[20:40, 20:40] = AreaKind.ICE
    image[kinds > 0] -= 40
    return Example(image, kinds, np.array([[100.0, 50.0], [30.0, 30.0]]), 9.0, 100.0)


def test_molecules_to_test_on_are_not_trained_on():
    def molecules(split):
        drawn = (draw_scene(split, n * SCENES_PER_MOLECULE) for n in range(40))
        return {each.structures[0] for each in drawn}

    trained = molecules(Split.TRAIN)
    assert not trained & molecules(Split.TEST)
    assert not trained & molecules(Split.VALIDATION)


def test_a_scene_depends_on_its_number_alone():
    assert draw_scene(Split.TRAIN, 8) == draw_scene(Split.TRAIN, 8)
    one, other = draw_scene(Split.TRAIN, 6), draw_scene(Split.TRAIN, 8)
    assert one.structures == other.structures
    assert one.optics != other.optics
    low, high = scenes.PIXEL_SIZES_A
    assert low <= one.sampling_rate <= high


def test_lessons_keep_features_and_truth_together(example):
    for number, lesson in enumerate(draw_lessons([example] * 6, 2, seed=3)):
        shape = lesson.first.shape[:2]
        assert lesson.first.shape[2] == N_FEATURES
        assert lesson.is_sampled.shape == lesson.has_signal.shape == shape
        assert len(lesson.classes) == len(lesson.weights) == lesson.is_sampled.sum()
        assert np.isfinite(lesson.first).all()
        level = lesson.first[lesson.is_sampled][:, 1]
        junk = lesson.classes > 0
        if number % 2 and 5 < junk.sum() < 0.9 * len(junk):
            assert level[junk].mean() < level[~junk].mean()


def test_pixels_are_learnt_and_their_surroundings_help(example):
    lessons = [*draw_lessons([example] * 8, 1, seed=1)]
    network = train(lessons, Schedule(epochs=60, batch_size=64))
    lesson = lessons[0]
    first = lesson.first.astype(np.float32)
    found = network.looks[0].probabilities(first)[lesson.is_sampled].argmax(axis=-1)
    assert (found == lesson.classes).mean() > 0.9
    mask = network_mask(example, network)
    assert figures_of([example], lambda each: mask).iou > 0.6


def test_film_covers_less_than_half(tmp_path):
    parameters = SimulationParameters(
        shape=(160, 160),
        sampling_rate=10.0,
        crowd=Crowd(0),
        contamination=Contamination(None, 0.0, 1.0, 0.0, 0.0, 0.0, film_variety=1.0),
    )
    for number in range(4):
        example = read_or_make(tmp_path / f"{number}.npz", parameters, number)
        assert 0 < (example.kinds == AreaKind.CARBON).mean() < 0.5
        kept = read_or_make(tmp_path / f"{number}.npz", parameters, number)
        np.testing.assert_array_equal(kept.kinds, example.kinds)
        assert kept.diameter_A == example.diameter_A


def test_figures_count_pixels_kinds_and_particles(example):
    perfect = figures_of([example], lambda each: each.kinds)
    assert perfect.iou == 1.0
    assert perfect.share_lost == 0.0
    assert perfect.n_particles == 1  # the other lies on ice
    everything = figures_of([example], lambda each: np.full_like(each.kinds, 3))
    assert everything.iou == pytest.approx((example.kinds > 0).mean())
    assert everything.share_lost == 1.0
    assert everything.n_found == everything.n_true
    assert everything.n_named[AreaKind.CARBON] == 0


def test_a_threshold_that_loses_particles_is_not_chosen(example, capsys):
    probability = np.where(example.kinds > 0, 0.97, 0.0).astype(np.float32)
    probability[95:105, 45:55] = 0.72
    assert choose_threshold([example], [probability]) == 0.75
    clear = replace(example, particles_yx=np.zeros((0, 2)))
    assert choose_threshold([clear], [probability]) == 0.75
    assert "particles lost" in capsys.readouterr().out

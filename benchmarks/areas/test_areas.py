# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of contaminants: NumPy and Keras agree, examples and figures are as meant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.areas import scenes
from benchmarks.areas.evaluation import choose_threshold, figures_of
from benchmarks.areas.examples import Example
from benchmarks.areas.keras_network import build_network, folded_weights
from benchmarks.areas.network import CLASSES, ContaminationNetwork
from benchmarks.areas.renderings import draw_lessons
from benchmarks.areas.scenes import SCENES_PER_MOLECULE, Split, draw_scene
from deepconsensus_plugin.core.usable_area.kinds import AreaKind


@pytest.fixture(scope="module")
def model():
    """Return a network with random weights and statistics."""
    built = build_network()
    rng = np.random.default_rng(5)
    for layer in built.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights(
                [rng.uniform(0.5, 1.5, each.shape) for each in layer.get_weights()]
            )
    return built


@pytest.fixture
def example():
    rng = np.random.default_rng(1)
    image = rng.normal(100, 10, (200, 230)).astype(np.float32)
    kinds = np.zeros(image.shape, np.uint8)
    kinds[:, 150:] = AreaKind.CARBON
    kinds[20:40, 20:40] = AreaKind.ICE
    image[kinds > 0] -= 40
    return Example(image, kinds, np.array([[100.0, 50.0], [30.0, 30.0]]), 12.0)


@pytest.mark.parametrize("shape", [(64, 96), (50, 71)])
def test_numpy_and_keras_agree(model, shape):
    network = ContaminationNetwork(folded_weights(model), (8.5, 17.0), 0.5)
    channels = np.random.default_rng(2).normal(size=(*shape, 3)).astype(np.float32)
    ours = network.probabilities(channels)
    lacking = [(0, -length % 32) for length in shape]
    logits = model.predict(np.pad(channels, [*lacking, (0, 0)])[None], verbose=0)[0]
    theirs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    theirs = np.repeat(np.repeat(theirs, 2, 0), 2, 1)[: shape[0], : shape[1]]
    assert ours.shape == (*shape, len(CLASSES))
    assert ours.std(axis=(0, 1)).max() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_molecules_to_test_on_are_not_trained_on():
    def molecules(split):
        drawn = (draw_scene(split, n * SCENES_PER_MOLECULE) for n in range(40))
        return {each.structures[0] for each in drawn}

    trained = molecules(Split.TRAIN)
    assert not trained & molecules(Split.TEST)
    assert not trained & molecules(Split.VALIDATION)


def test_a_scene_depends_on_its_number_alone():
    assert draw_scene(Split.TRAIN, 8) == draw_scene(Split.TRAIN, 8)
    one, other = draw_scene(Split.TRAIN, 6), draw_scene(Split.TRAIN, 7)
    assert one.structures == other.structures
    assert one.optics != other.optics
    low, high = scenes.PIXEL_SIZES_A
    assert low <= one.sampling_rate <= high


def test_lessons_keep_image_and_truth_together(example):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        for lesson in draw_lessons(example, 192, 2, rng):
            assert lesson.channels.shape == (192, 192, 3)
            assert lesson.classes.shape == lesson.weights.shape == (96, 96)
            assert np.isfinite(lesson.channels).all()
            seen = lesson.weights > 0
            junk = seen & (lesson.classes > 0)
            if 0.05 < junk.sum() / seen.sum() < 0.6:
                level = lesson.channels[1::2, 1::2, 1]
                assert level[junk].mean() < level[seen & ~junk].mean()


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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of HydraPicker's anchors, losses, network, crops and picking."""

from __future__ import annotations

from itertools import product

import keras
import numpy as np
import pytest

import deepconsensus_plugin
from deepconsensus_plugin.core.networks.card import CARD_FILE
from deepconsensus_plugin.core.pickers.hydra.anchors import (
    IS_PARTICLE,
    OFFSETS,
    anchor_positions,
    encode,
)
from deepconsensus_plugin.core.pickers.hydra.detector import HydraDetector
from deepconsensus_plugin.core.pickers.hydra.examples import (
    Crops,
    DetectionImage,
    random_transfer,
)
from deepconsensus_plugin.core.pickers.hydra.heads import build_trainable, heads_of
from deepconsensus_plugin.core.pickers.hydra.losses import (
    bias_loss,
    focal_loss,
    localisation_loss,
)
from deepconsensus_plugin.core.pickers.hydra.network import (
    FIRST_LOG_ODDS,
    Form,
    build_body,
    build_head,
)
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    ARCHITECTURES,
    HydraArchitecture,
)
from deepconsensus_plugin.core.pickers.hydra.picking import (
    HydraPicker,
    ParticleAppearance,
)
from deepconsensus_plugin.core.pickers.hydra.rescaling import (
    enlarge,
    flatten,
    pad_with_noise,
)
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pickers.maps.score_map import compute_in_tiles

TINY = HydraArchitecture(
    body_channels=4, head_channels=(6, 8), n_residual=2, n_groups=2
)
STEP_16 = HydraArchitecture(
    body_channels=2, head_channels=(2, 2, 2, 2), n_residual=1, n_groups=1
)


def slow_iou(one, other, side):
    """Return intersection over union of two squares, from their edges."""
    overlap = 1.0
    for a, b in zip(one, other, strict=True):
        overlap *= max(0.0, min(a, b) + side / 2 - (max(a, b) - side / 2))
    return overlap / (2 * side**2 - overlap)


def random_weights(network, seed=1):
    """Give a network weights none of which is 0 or 1, and return them."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0.1, 0.2, w.shape) for w in network.get_weights()]
    network.set_weights(weights)
    return network.get_weights()


def tiny_detector(architecture=TINY):
    body, head = build_body(architecture), build_head(architecture)
    return HydraDetector(architecture, random_weights(body), random_weights(head, 2))


class TestAnchors:
    @pytest.mark.parametrize("architecture", [TINY, *ARCHITECTURES.values()])
    def test_every_particle_has_an_anchor(self, architecture):
        axis = anchor_positions(4, architecture)
        for y, x in product(np.linspace(axis[1], axis[2], 9), repeat=2):
            assert encode(np.array([[y, x]]), 4, architecture)[..., IS_PARTICLE].any()

    def test_targets_are_those_of_a_slow_search(self):
        rng = np.random.default_rng(3)
        side, axis = TINY.particle_px, anchor_positions(12, TINY)
        centres = rng.uniform(-5, 53, (15, 2))
        targets = encode(centres, 12, TINY)
        for (i, y), (j, x) in product(enumerate(axis), repeat=2):
            ious = [slow_iou((y, x), centre, side) for centre in centres]
            best = int(np.argmax(ious))
            expected = np.zeros(3)
            if ious[best] > 0.6:
                expected[:2] = (centres[best] - (y, x)) / TINY.step
                expected[2] = 1
            np.testing.assert_allclose(targets[i, j], expected, atol=1e-6)

    def test_nothing_is_expected_of_an_empty_crop(self):
        assert not encode(np.zeros((0, 2)), 5, TINY).any()

    def test_published_sizes(self):
        thesis = HydraArchitecture()
        assert (thesis.step, thesis.particle_px, thesis.crop_px) == (16, 60, 368)


class TestLosses:
    def setup_method(self):
        rng = np.random.default_rng(5)
        self.outputs = rng.normal(0, 3, (2, 4, 5, 3))
        self.targets = rng.normal(0, 1, (2, 4, 5, 3))
        self.targets[..., IS_PARTICLE] = rng.random((2, 4, 5)) < 0.3

    def test_localisation(self):
        expected = 0.0
        for target, output in zip(
            self.targets.reshape(-1, 3), self.outputs.reshape(-1, 3), strict=True
        ):
            if target[2]:
                expected += sum(abs(output[i] - target[i]) for i in range(2))
        found = localisation_loss(self.targets, self.outputs)
        assert float(found) == pytest.approx(expected, rel=1e-6)

    def test_focal(self):
        expected = 0.0
        for target, output in zip(
            self.targets.reshape(-1, 3), self.outputs.reshape(-1, 3), strict=True
        ):
            p = 1 / (1 + np.exp(-output[2]))
            p, weight = (p, 0.25) if target[2] else (1 - p, 0.75)
            expected -= 0.5 * weight * (1 - p) ** 2 * np.log(p)
        found = focal_loss(self.targets, self.outputs, particle_weight=0.25, focus=2.0)
        assert float(found) == pytest.approx(expected, rel=1e-6)

    def test_focal_loss_of_certain_outputs_is_finite(self):
        outputs = np.full((1, 1, 2, 3), 1e4, np.float32)
        targets = np.zeros((1, 1, 2, 3), np.float32)
        found = focal_loss(targets, outputs, particle_weight=0.25, focus=2.0)
        assert np.isfinite(float(found))

    def test_bias(self):
        rng = np.random.default_rng(6)
        heads = [rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 5))]
        general = [rng.normal(size=(2, 4)), rng.normal(size=5)]
        expected = np.mean(
            [
                np.sqrt(
                    sum(
                        ((h[k] - g) ** 2).sum()
                        for h, g in zip(heads, general, strict=True)
                    )
                )
                for k in range(3)
            ]
        )
        assert float(bias_loss(heads, general)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
class TestNetwork:
    @pytest.mark.parametrize("architecture", [TINY, STEP_16])
    def test_forms_are_one_function(self, architecture):
        rng = np.random.default_rng(7)
        image = rng.normal(size=(2, 48, 64, 1)).astype(np.float32)
        outputs = []
        for form in (Form.PLAIN, Form.FAST):
            body, head = build_body(architecture, form), build_head(architecture, form)
            random_weights(body)
            random_weights(head, 2)
            outputs.append(np.asarray(head(body(image))))
        assert outputs[0].shape == (
            2,
            48 // architecture.step,
            64 // architecture.step,
            3,
        )
        np.testing.assert_allclose(*outputs, atol=2e-5)

    def test_untrained_anchors_are_background(self):
        body, head = build_body(TINY), build_head(TINY)
        output = np.asarray(head(body(np.zeros((1, 16, 16, 1), np.float32))))
        np.testing.assert_allclose(output[..., IS_PARTICLE], FIRST_LOG_ODDS, atol=1e-5)
        np.testing.assert_allclose(output[..., OFFSETS], 0, atol=1e-5)

    def test_stacked_heads_are_the_head(self):
        network = build_trainable(TINY, n_heads=3)
        head = build_head(TINY)
        for own, weights in zip(
            heads_of(network).special, random_weights(head), strict=True
        ):
            stacked = np.zeros(own.shape, np.float32)
            stacked[1] = weights
            own.assign(stacked)
        image = np.random.default_rng(8).normal(size=(2, 32, 32, 1)).astype("float32")
        found = network.predict_on_batch(
            {"image": image, "head": np.ones((2, 1), np.int32)}
        )
        body = network.get_layer("body")
        np.testing.assert_allclose(found, head(body(image)), atol=1e-5)

    def test_general_head_is_drawn_by_the_others_alone(self):
        network = build_trainable(TINY, n_heads=2, bias_strength=1.0)
        heads = heads_of(network)
        for weight in heads.special:
            weight.assign(np.asarray(weight) + 1.0)
        network.compile(keras.optimizers.SGD(0.1), loss=lambda t, o: 0.0 * o)

        def distance():
            return float(bias_loss(heads.special, heads.general))

        before = distance()
        inputs = {
            "image": np.zeros((1, 16, 16, 1), np.float32),
            "head": np.zeros((1, 1), np.int32),
        }
        for _ in range(3):
            network.train_on_batch(inputs, np.zeros((1, 4, 4, 3), np.float32))
        # Each step moves the general head by the rate, and both others half as far.
        assert before - distance() == pytest.approx(3 * 0.1 * 1.5, rel=1e-3)


@pytest.mark.slow
class TestDetector:
    @pytest.mark.parametrize("architecture", [TINY, STEP_16])
    def test_folded_equals_normalised(self, architecture):
        rng = np.random.default_rng(9)
        side = architecture.step * 12
        image = rng.normal(size=(1, side, side)).astype(np.float32)
        detector = tiny_detector(architecture)
        detector.fit(image)
        body, head = build_body(architecture), build_head(architecture)
        random_weights(body)
        random_weights(head, 2)
        expected = np.asarray(head(body(image[..., None])))[0]
        found = detector.detect(image[0])
        # The first anchor of a crop is `first_anchor` from its border, that of the
        # folded network `reach`: as many steps farther in.
        skipped = -(-architecture.reach // architecture.step)
        start = skipped * architecture.step + architecture.first_anchor
        shifted = detector.detect(
            image[0, start - architecture.reach :, :][:, start - architecture.reach :]
        )
        inner = expected[skipped:-skipped, skipped:-skipped]
        np.testing.assert_allclose(
            shifted[: inner.shape[0], : inner.shape[1]], inner, atol=1e-4
        )
        assert found.shape[2] == 3

    @pytest.mark.parametrize("tile", [16, 48])
    def test_tiles_equal_the_whole(self, tile):
        rng = np.random.default_rng(10)
        image = rng.normal(size=(130, 91)).astype(np.float32)
        detector = tiny_detector()
        detector.fit(image[None])
        whole, tiled = (
            compute_in_tiles(
                detector.detect, image, reach=TINY.reach, step=TINY.step, tile=side
            )
            for side in (1024, tile)
        )
        assert whole.shape == (33, 23, 3)
        np.testing.assert_allclose(tiled, whole, atol=1e-6)

    def test_shifted_micrograph_shifts_picks(self):
        rng = np.random.default_rng(11)
        large = rng.normal(size=(240, 240)).astype(np.float32)
        detector = tiny_detector()
        picker = HydraPicker(detector, ParticleAppearance(TINY.particle_px))
        detector.fit(large[None])
        detector.fit = lambda crops: None  # the same statistics for both
        one, other = (picker.detect(large[a : a + 200, :200]) for a in (0, 16))
        reach = TINY.reach + 2 * TINY.particle_px

        def inner(picks, shift):
            yx = picks.yx + np.array([shift, 0])
            inside = ((yx > reach + 16) & (yx < 200 - reach)).all(axis=1)
            return np.column_stack([yx, picks.scores])[inside]

        some, others = inner(one, 0), inner(other, 16)
        assert len(some) > 10
        np.testing.assert_allclose(
            some[np.lexsort(some.T)], others[np.lexsort(others.T)], atol=1e-3
        )


def empty_crops(image):
    """Return crops of a micrograph without any particle."""
    return Crops([DetectionImage(image, np.zeros((0, 2)), 1.0)], TINY, size_jitter=0)


class TestCrops:
    def test_particles_are_where_targets_say(self):
        """A bright pixel at every centre, found again in turned and enlarged crops."""
        rng = np.random.default_rng(12)
        centres = np.stack(np.mgrid[20:180:25, 20:180:25], axis=-1).reshape(-1, 2)
        image = np.zeros((200, 200), np.float32)
        image[tuple(centres.T)] = 1
        crops = Crops([DetectionImage(image, centres, 1.5)], TINY, size_jitter=0.1)
        pixels, targets = crops.batch(6, rng)
        assert pixels.shape == (6, 92, 92, 1)
        axis = anchor_positions(23, TINY)
        n_seen = 0
        for crop, target in zip(pixels[..., 0], targets, strict=True):
            for i, j in np.argwhere(target[..., IS_PARTICLE] > 0):
                yx = np.array([axis[i], axis[j]]) + target[i, j, OFFSETS] * TINY.step
                y, x = np.round(yx).astype(int)
                if 1 <= y < 91 and 1 <= x < 91:
                    assert crop[y - 1 : y + 2, x - 1 : x + 2].max() > 0.2
                    n_seen += 1
        assert n_seen > 20

    def test_outside_is_noise_like_the_background(self):
        rng = np.random.default_rng(13)
        image = rng.normal(5, 2, (40, 40)).astype(np.float32)
        crops = empty_crops(image)
        pixels, targets = crops.batch(4, rng)
        assert not targets.any()
        assert pixels.mean() == pytest.approx(5, abs=0.1)
        assert pixels.std() == pytest.approx(2, rel=0.1)

    def test_same_seed_same_crops(self):
        image = np.random.default_rng(1).normal(size=(60, 60)).astype(np.float32)
        crops = empty_crops(image)
        one, other = (crops.batch(2, np.random.default_rng(2))[0] for _ in range(2))
        np.testing.assert_array_equal(one, other)

    def test_noise_is_added_and_the_scale_kept(self):
        """Crops with more noise have less of what was in them, at one deviation."""
        rng = np.random.default_rng(5)
        image = rng.normal(size=(200, 200)).astype(np.float32)
        whole = [DetectionImage(image, np.zeros((0, 2)), 1.0)]
        plain = Crops(whole, TINY, size_jitter=0, noise=0)
        noisy = Crops(whole, TINY, size_jitter=0, noise=2)
        seeds = range(6)
        shares = []
        for seed in seeds:
            one = plain.batch(1, np.random.default_rng(seed))[0]
            other = noisy.batch(1, np.random.default_rng(seed))[0]
            assert other.std() == pytest.approx(1, abs=0.12)
            shares.append(np.corrcoef(one.ravel(), other.ravel())[0, 1])
        assert min(shares) < 0.75
        assert max(shares) - min(shares) > 0.2

    def test_transfer_changes_fine_and_coarse_and_keeps_particles(self):
        """Within the strength at both ends; none at strength 0."""
        rng = np.random.default_rng(6)
        drawn = np.stack([random_transfer(93, 1.0, 15, rng) for _ in range(200)])
        nyquist = np.log(drawn[:, 46, 0])  # half a pixel short of it
        assert -1.1 < nyquist.min() < -0.7
        assert 0.7 < nyquist.max() < 1.1
        assert 0.2 <= drawn[:, 0, 0].min() < 0.3
        assert drawn[:, 0, 0].max() <= 1
        np.testing.assert_array_equal(random_transfer(93, 0.0, 15, rng), 1)
        image = np.random.default_rng(1).normal(size=(150, 150)).astype(np.float32)
        whole = [DetectionImage(image, np.zeros((0, 2)), 1.0)]
        plain, changed = (
            Crops(whole, TINY, size_jitter=0, filtering=strength).batch(
                1, np.random.default_rng(3)
            )[0]
            for strength in (0.0, 0.5)
        )
        assert changed.dtype == np.float32
        assert 0.8 < np.corrcoef(plain.ravel(), changed.ravel())[0, 1] < 1

    def test_no_crops_are_refused(self):
        image = np.zeros((60, 60), np.float32)
        crops = empty_crops(image)
        with pytest.raises(ValueError, match="received 0"):
            crops.batch(0, np.random.default_rng(1))


class TestRescaling:
    def test_enlarged_blob_is_where_it_was(self):
        y, x = np.mgrid[:40, :50]
        image = np.exp(-((y - 18) ** 2 + (x - 31) ** 2) / 18).astype(np.float32)
        enlarged = enlarge(image, 2.5)
        assert enlarged.shape == (100, 125)
        peak = np.unravel_index(enlarged.argmax(), enlarged.shape)
        np.testing.assert_allclose(
            (np.array(peak) + 0.5) / 2.5 - 0.5, (18, 31), atol=0.3
        )

    def test_particles_stand_out_on_a_slope_and_beside_dirt(self):
        """Slopes and dirt change neither a particle's contrast nor the scale."""
        rng = np.random.default_rng(3)
        y, x = np.mgrid[:200, :200]
        noise = rng.normal(0, 2, (200, 200))
        particle = -10 * (np.hypot(y - 100, x - 100) < 6)
        plain = (noise + particle).astype(np.float32)
        sloped = (plain + 0.1 * y).astype(np.float32)
        sloped[:8, :8] = -1000
        one, other = flatten(plain, 12), flatten(sloped, 12)
        inside = np.s_[80:120, 80:120]
        np.testing.assert_allclose(other[inside], one[inside], rtol=0.05, atol=0.05)
        assert other[150:, 100:].std() == pytest.approx(1, rel=0.1)
        assert np.abs(other).max() <= 8

    def test_flat_images_stay_finite(self):
        image = np.full((20, 20), 7, np.float32)
        np.testing.assert_array_equal(flatten(image, 5), 0)

    def test_diameter_must_be_positive(self):
        with pytest.raises(ValueError, match="received 0"):
            flatten(np.zeros((4, 4), np.float32), 0)

    def test_zoom_must_be_positive(self):
        with pytest.raises(ValueError, match="received 0"):
            enlarge(np.zeros((4, 4), np.float32), 0)

    def test_border_is_noise_like_the_background(self):
        image = np.random.default_rng(1).normal(3, 2, (80, 60)).astype(np.float32)
        padded = pad_with_noise(image, 20)
        np.testing.assert_array_equal(padded[20:-20, 20:-20], image)
        border = padded[:20]
        assert border.mean() == pytest.approx(3, abs=0.3)
        assert border.std() == pytest.approx(2, rel=0.1)


class TestGeneralModel:
    def test_absent_model_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setattr(deepconsensus_plugin, "__file__", str(tmp_path / "x.py"))
        with pytest.raises(FileNotFoundError, match="make train-general"):
            general_model()
        folder = tmp_path / "general_model"
        folder.mkdir()
        (folder / CARD_FILE).write_text("{}")
        assert general_model() == folder

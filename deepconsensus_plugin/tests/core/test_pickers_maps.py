# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of working images, score maps, peaks and thresholds of pickers."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.pickers.classical.correlation import (
    Reference,
    mean_profile,
    reference_profile,
    score_by_correlation,
)
from deepconsensus_plugin.core.pickers.classical.gaussian import score_by_gaussians
from deepconsensus_plugin.core.pickers.classical.working_image import (
    WorkingImage,
    prepare_for_filters,
)
from deepconsensus_plugin.core.pickers.maps.peaks import find_peaks
from deepconsensus_plugin.core.pickers.populations import (
    gaussian_mixture as populations,
)
from deepconsensus_plugin.core.pickers.populations.gaussian_mixture import (
    fit_score_mixture,
)
from deepconsensus_plugin.core.pickers.populations.score_threshold import (
    find_threshold,
    find_upper_threshold,
)
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.core.usable_area.padding import find_padding

SHAPE = (120, 170)


def working_of(image, diameter=12.0, is_usable=None):
    image = np.asarray(image, np.float32)
    usable = np.ones(image.shape, bool) if is_usable is None else is_usable
    return WorkingImage(image, usable, diameter, 1, (0, 0))


def discs(centres, *, shape=SHAPE, diameter=12.0):
    rows, columns = np.indices(shape)
    inside = np.zeros(shape)
    for y, x in centres:
        inside[(rows - y) ** 2 + (columns - x) ** 2 <= (diameter / 2) ** 2] = 1
    return inside


def noise(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape)


class TestWorkingImage:
    def test_binning_goes_to_and_from_the_micrograph(self):
        truth = np.array([[200.0, 500.0], [97.0, 310.0]])
        dark = -discs(truth, shape=(401, 702), diameter=61)
        working = prepare_for_filters(
            dark + 0.1 * noise(dark.shape),
            sampling_rate=1,
            diameter_A=61,
            avoid_contamination=False,
        )
        assert working.binning == 3
        assert working.image.shape == (133, 234)
        assert working.diameter_px == pytest.approx(61 / 3)
        peaks = find_peaks(score_by_gaussians(working), working.is_usable, radius_px=12)
        found = working.to_micrograph(peaks.take([0, 1])).yx
        found = found[np.argsort(-found[:, 0])]
        np.testing.assert_allclose(found, truth, atol=1.0)

    def test_blocks_are_means(self):
        pixels = noise((80, 82))
        working = prepare_for_filters(
            pixels,
            sampling_rate=1,
            diameter_A=40,
            particles_dark=False,
            avoid_contamination=False,
        )
        means = pixels[:80, :82].reshape(40, 2, 41, 2).mean(axis=(1, 3))
        correlation = np.corrcoef(working.image.ravel(), means.ravel())[0, 1]
        assert correlation == pytest.approx(1, abs=1e-6)

    def test_contrast_is_a_choice(self):
        pixels = noise()
        dark, white = (
            prepare_for_filters(
                pixels, sampling_rate=1, diameter_A=12, particles_dark=is_dark
            ).image
            for is_dark in (True, False)
        )
        np.testing.assert_allclose(dark, -white)

    @pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.float32])
    def test_types_do_not_overflow(self, dtype):
        pixels = np.clip(noise((90, 100)) * 30 + 64, 0, 127).astype(dtype)
        working = prepare_for_filters(pixels, sampling_rate=1, diameter_A=42)
        assert working.image.std() == pytest.approx(1, abs=0.1)

    def test_nan_and_constant_images(self):
        pixels = noise().astype(np.float32)
        pixels[40:43, 60:64] = np.nan
        pixels[0, 0] = np.inf
        working = prepare_for_filters(pixels, sampling_rate=1, diameter_A=12)
        assert np.isfinite(working.image).all()
        assert not working.is_usable[36:46, 56:67].any()
        assert working.is_usable.mean() > 0.8
        for value in (0, 7, np.nan):
            empty = prepare_for_filters(
                np.full(SHAPE, value), sampling_rate=1, diameter_A=12
            )
            assert not empty.is_usable.any()
            for scores in (
                score_by_gaussians(empty),
                score_by_correlation(empty, np.array([1.0, 1, 0, 0])),
            ):
                assert (scores == 0).all()

    def test_refuses_what_does_not_fit(self):
        with pytest.raises(ValueError, match=r"4 px to half .* received 3 px"):
            prepare_for_filters(noise(), sampling_rate=1, diameter_A=3)
        with pytest.raises(ValueError, match=r"\(60 px\), received 61 px"):
            prepare_for_filters(noise(), sampling_rate=1, diameter_A=61)
        with pytest.raises(ValueError, match="rows and columns"):
            prepare_for_filters(noise((3, 40, 40)), sampling_rate=1, diameter_A=10)


class TestContamination:
    def test_streaks_and_constants_at_borders_are_padding(self):
        image = noise((100, 140)).astype(np.float32)
        image[:7] = image[7]
        image[-12:] = 5.0
        image[:, :3] = image[:, 3:4]
        assert find_padding(image) == ((8, 12), (4, 0))
        assert find_padding(noise((100, 140)).astype(np.float32)) == ((0, 0), (0, 0))

    def test_carbon_and_ice_are_left_out_and_particles_are_not(self):
        centres = [(y, x) for y in range(20, 380, 30) for x in range(20, 360, 30)]
        pixels = noise((400, 560)) - 2 * discs(centres, shape=(400, 560))
        pixels[:, 460:] = 3 * pixels[:, 460:] - 15
        working = prepare_for_filters(pixels, sampling_rate=1, diameter_A=12)
        assert working.is_usable[:, :430].mean() > 0.99
        assert not working.is_usable[:, 475:].any()
        everywhere = prepare_for_filters(
            pixels, sampling_rate=1, diameter_A=12, avoid_contamination=False
        )
        assert everywhere.is_usable.all()

    @pytest.mark.parametrize("contrast", [0.5, 2, 5, 50])
    @pytest.mark.parametrize("n_columns", [2, 4, 18])
    def test_particles_are_no_contamination_at_any_contrast(self, contrast, n_columns):
        xs = range(20, 20 + 30 * n_columns, 30)
        centres = [(y, x) for y in range(20, 380, 30) for x in xs]
        inside = discs(centres, shape=(400, 560))
        working = prepare_for_filters(
            noise((400, 560)) - contrast * inside, sampling_rate=1, diameter_A=12
        )
        assert np.mean([working.is_usable[centre] for centre in centres]) > 0.95


class TestGaussians:
    def test_sign_changes_at_the_rim(self):
        point = np.zeros((129, 129))
        point[64, 64] = 1
        scores = score_by_gaussians(working_of(point, diameter=20))
        scores -= scores[0, 0]  # noise units are relative to the median
        row = scores[64, 64:]
        assert (row[:10] > 0).all()
        assert (row[11:30] < 0).all()

    def test_noise_units(self):
        usable = np.zeros(SHAPE, bool)
        usable[:, :100] = True
        image = noise()
        image[:, 100:] *= 50
        scores = score_by_gaussians(working_of(image, is_usable=usable))
        quarter, middle, three_quarters = np.quantile(scores[usable], [0.25, 0.5, 0.75])
        assert middle == pytest.approx(0, abs=0.05)
        assert three_quarters - quarter == pytest.approx(1.349, abs=0.1)

    def test_dirt_does_not_change_noise_units(self):
        image = noise()
        dirty = image.copy()
        dirty[:20, :20] += 50
        clean, soiled = (
            score_by_gaussians(working_of(each)) for each in (image, dirty)
        )
        far = (slice(60, None), slice(60, None))
        assert soiled[far].std() == pytest.approx(clean[far].std(), rel=0.15)

    def test_answers_most_to_its_own_size(self):
        answers = {}
        for diameter in (8, 16, 32):
            disc = discs([(64, 64)], shape=(128, 128), diameter=diameter)
            scores = score_by_gaussians(working_of(disc, diameter=16))
            answers[diameter] = scores[64, 64] * disc.std()
        assert max(answers, key=answers.get) == 16


class TestCorrelation:
    def test_equals_the_slow_obvious_version(self):
        image, profile = noise((24, 31)), np.array([1.0, 0.5, 2.0, -1.0, 0.0])
        reach = len(profile) - 1
        axis = np.arange(-reach, reach + 1)
        radius = np.hypot(axis[:, None], axis[None, :])
        mask = radius <= reach
        reference = np.interp(radius, np.arange(len(profile)), profile)[mask]
        continued = np.pad(image, reach, mode="symmetric")
        expected = np.empty(image.shape)
        for y, x in np.ndindex(image.shape):
            box = continued[y : y + 2 * reach + 1, x : x + 2 * reach + 1]
            expected[y, x] = np.corrcoef(box[mask], reference)[0, 1]
        scores = score_by_correlation(working_of(image), profile)
        np.testing.assert_allclose(scores, expected, atol=1e-4)

    def test_contrast_and_level_cancel(self):
        image = discs([(60, 80)]) + 0.1 * noise()
        profile = reference_profile(Reference.DISC, diameter_px=12)
        one = score_by_correlation(working_of(image), profile)
        other = score_by_correlation(working_of(5 * image + 3), profile)
        np.testing.assert_allclose(one, other, atol=1e-3)
        assert np.unravel_index(one.argmax(), one.shape) == (60, 80)
        assert one.max() > 0.85

    def test_learns_the_profile_it_is_shown(self):
        centres = [(40, 50), (80, 120), (0, 0)]
        ring = discs(centres) - discs(centres, diameter=6)
        profile = mean_profile(working_of(ring), np.array(centres, float), length=10)
        truth = reference_profile(Reference.RING, diameter_px=12)
        assert np.corrcoef(profile, truth)[0, 1] > 0.9
        nothing = mean_profile(working_of(ring), np.empty((0, 2)), length=10)
        assert (nothing == 0).all()

    def test_ring_is_hollow(self):
        ring = reference_profile(Reference.RING, diameter_px=20)
        assert ring.tolist() == [0.0] * 6 + [1.0] * 5 + [0.0] * 5


class TestPeaks:
    def test_top_of_a_parabola_is_found_between_pixels(self):
        rows, columns = np.indices((30, 40))
        scores = 9 - (rows - 12.3) ** 2 - 0.5 * (columns - 20.7) ** 2
        peaks = find_peaks(scores, np.ones(scores.shape, bool), radius_px=3)
        np.testing.assert_allclose(peaks.yx, [[12.3, 20.7]], atol=1e-9)

    def test_plateaus_and_masks(self):
        scores = np.zeros((20, 20))
        scores[1, 5], scores[18, 18] = 2, 3
        scores[10, 10:12] = 1
        everywhere = np.ones(scores.shape, bool)
        found = find_peaks(scores, everywhere, radius_px=2)
        assert found.scores.tolist() == [3, 2, 1]
        assert np.abs(found.yx - [[18, 18], [1, 5], [10, 10.5]]).max() <= 0.5
        everywhere[10:] = False
        assert find_peaks(scores, everywhere, radius_px=2).scores.tolist() == [2]

    def test_what_rises_beyond_the_border_is_no_peak(self):
        rows, columns = np.indices((30, 40))
        outside = 9 - (rows + 2) ** 2 - (columns - 20) ** 2
        inside = 8 - (rows - 4) ** 2 - (columns - 20) ** 2
        scores = np.maximum(outside, inside)
        peaks = find_peaks(scores, np.ones(scores.shape, bool), radius_px=5)
        np.testing.assert_allclose(peaks.yx, [[4, 20]])


class TestThreshold:
    def test_two_populations_are_parted_between_them(self):
        rng = np.random.default_rng(0)
        background, particles = rng.normal(1, 0.3, 3000), rng.normal(4, 0.5, 800)
        threshold = find_threshold(np.concatenate([background, particles]))
        assert (background < threshold).mean() > 0.99
        assert (particles >= threshold).mean() > 0.99

    def test_it_is_close_to_the_best_f1_where_they_overlap(self):
        rng = np.random.default_rng(1)
        scores = np.concatenate([rng.normal(0, 1, 4000), rng.normal(3, 1, 2000)])
        is_particle = np.arange(6000) >= 4000

        def f1(threshold):
            accepted = scores >= threshold
            true = (accepted & is_particle).sum()
            return 2 * true / (accepted.sum() + is_particle.sum())

        best = max(f1(threshold) for threshold in np.linspace(-1, 4, 200))
        assert f1(find_threshold(scores)) > best - 0.01

    def test_a_few_outliers_are_not_the_particles(self):
        rng = np.random.default_rng(2)
        scores = [rng.normal(1, 0.3, 3000), rng.normal(4, 0.5, 3000), [40.0, 60.0]]
        assert 1.5 < find_threshold(np.concatenate(scores)) < 3

    def test_what_has_more_contrast_than_particles_is_told(self):
        rng = np.random.default_rng(5)
        particles, dirt = rng.normal(4, 0.5, 1000), rng.uniform(8, 40, 60)
        upper = find_upper_threshold(np.concatenate([particles, dirt]))
        assert (particles < upper).all()
        assert (dirt > upper).all()
        assert find_upper_threshold(dirt[:9]) is None
        assert find_upper_threshold(np.ones(100)) is None

    def test_one_population_gives_none(self):
        rng = np.random.default_rng(3)
        contaminated = [*rng.normal(1, 0.5, 1500), *rng.normal(12, 1, 8)]
        assert find_threshold(np.array(contaminated)) is None
        assert find_threshold(rng.normal(1, 0.5, 5000)) is None
        assert find_threshold(np.ones(100)) is None
        assert find_threshold(np.array([1.0, 9.0])) is None
        assert find_threshold(np.empty(0)) is None

    def test_mixture_recovers_what_made_it(self):
        rng = np.random.default_rng(4)
        values = np.concatenate([rng.normal(0, 1, 20000), rng.normal(5, 2, 10000)])
        fit = fit_score_mixture(values, 2)
        np.testing.assert_allclose(fit.weights, [2 / 3, 1 / 3], atol=0.02)
        np.testing.assert_allclose(fit.means, [0, 5], atol=0.1)
        np.testing.assert_allclose(fit.variances, [1, 4], atol=0.25)
        assert fit.bic < fit_score_mixture(values, 1).bic
        np.testing.assert_allclose(fit.responsibilities(values).sum(axis=1), 1)

    def test_neighbours_fitted_as_one_change_nothing(self, monkeypatch):
        """Also in the tails, where neighbours are far apart."""
        rng = np.random.default_rng(5)
        values = np.concatenate([rng.normal(0, 1, 20000), rng.normal(4, 1, 9000)])
        together = [fit_score_mixture(values, k) for k in (1, 2, 3)]
        monkeypatch.setattr(populations, "_GROUPS", len(values))
        for fit, exact in zip(
            together, [fit_score_mixture(values, k) for k in (1, 2, 3)], strict=True
        ):
            np.testing.assert_allclose(fit.means, exact.means, atol=1e-3)
            np.testing.assert_allclose(fit.variances, exact.variances, atol=1e-3)
            assert fit.bic == pytest.approx(exact.bic, abs=1e-4)


def test_coordinates_of_a_trimmed_image_are_those_of_the_micrograph():
    working = WorkingImage(np.zeros((9, 9), np.float32), np.ones((9, 9)), 5, 4, (3, 1))
    placed = working.to_micrograph(ScoredCoordinates.from_arrays([[0, 2]], [0.5]))
    assert placed.yx.tolist() == [[3 * 4 + 1.5, 3 * 4 + 1.5]]
    assert placed.scores.tolist() == [0.5]

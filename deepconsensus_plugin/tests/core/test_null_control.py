# SPDX-License-Identifier: GPL-3.0-or-later
"""Images without particles, and what scorers find in excess of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from deepconsensus_plugin.core.null_control.comparison import (
    NullComparison,
    compare_with_null,
)
from deepconsensus_plugin.core.null_control.evidence import FALSE_ALARM_RATE
from deepconsensus_plugin.core.null_control.phases import randomise_phases


def rng(seed=0):
    return np.random.default_rng(seed)


def power(image, frequencies):
    """Return the mean power of an image in bands of frequency."""
    spectrum = np.abs(np.fft.fft2(image - image.mean())) ** 2
    radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, image.shape), indexing="ij"))
    band = np.digitize(radius.ravel(), frequencies)
    return np.bincount(band, spectrum.ravel()) / np.bincount(band)


class TestPhases:
    def test_spectrum_mean_and_deviation_stay(self):
        image = 7 + gaussian_filter(rng().normal(size=(200, 240)), 2)
        null = randomise_phases(image, rng(1))
        bands = [0.01, 0.05, 0.1, 0.15]

        assert null.mean() == pytest.approx(image.mean(), abs=0.05)
        assert null.std() == pytest.approx(image.std(), rel=1e-3)
        assert power(null, bands)[1:4] == pytest.approx(
            power(image, bands)[1:4], rel=0.15
        )

    def test_nothing_of_the_image_is_left(self):
        image = rng().normal(size=(96, 96))
        null = randomise_phases(image, rng(1))

        assert abs(np.corrcoef(image.ravel(), null.ravel())[0, 1]) < 0.05

    def test_particles_become_noise(self):
        image = 0.1 * rng().normal(size=(128, 128))
        image[rng().integers(0, 128, 20), rng(3).integers(0, 128, 20)] -= 40
        image = gaussian_filter(image, 3)
        null = randomise_phases(image, rng(1))

        def skewness(x):
            return ((x - x.mean()) ** 3).mean() / x.std() ** 3

        assert skewness(image) < -1.5
        assert abs(skewness(null)) < 0.5

    def test_gradient_does_not_leak_along_the_axes(self):
        ramp = np.linspace(0, 10, 128)[:, None] + 0.1 * rng().normal(size=(128, 128))
        null = randomise_phases(ramp, rng(1))

        assert np.diff(null, axis=0).std() < 0.5

    def test_unusable_pixels_do_not_count(self):
        image = rng().normal(size=(96, 96))
        usable = np.ones(image.shape, dtype=bool)
        usable[:20] = False
        spoilt = np.where(usable, image, 1e4)

        null = randomise_phases(spoilt, rng(1), is_usable=usable)

        assert null.std() == pytest.approx(image[20:].std(), rel=1e-3)

    def test_pixels_that_are_not_finite_do_not_count(self):
        image = rng().normal(size=(64, 64))
        image[3, 4:9] = np.nan, np.inf, -np.inf, np.nan, np.nan

        assert np.isfinite(randomise_phases(image, rng(1))).all()

    def test_constant_image_stays_constant(self):
        assert (randomise_phases(np.full((9, 8), 3), rng()) == 3).all()

    def test_same_seed_same_image(self):
        image = rng().normal(size=(32, 33))

        first, again = (randomise_phases(image, rng(4)) for _ in range(2))

        assert (first == again).all()

    @pytest.mark.parametrize(
        "image", [np.zeros(4), np.full((4, 4), np.nan)], ids=["1-D", "NaN"]
    )
    def test_no_image_is_refused(self, image):
        with pytest.raises(ValueError, match="expected an image"):
            randomise_phases(image, rng())


def compared(real, null):
    return compare_with_null("picker", real, null, rng=rng())


def particles(seed, n=50, n_noise=450):
    """Return scores of noise, with those of particles above them."""
    noise = rng(seed).normal(size=n_noise)
    return np.concatenate([noise, rng([seed, 1]).normal(5, 0.5, size=n)])


class TestComparison:
    def test_noise_gives_evidence_as_seldom_as_stated(self):
        alarms = [
            compared([rng([i, 0]).normal(size=300)], [rng([i, 1]).normal(size=300)])
            for i in range(300)
        ]
        rate = np.mean([each.has_evidence for each in alarms])

        assert rate <= 2 * FALSE_ALARM_RATE

    @pytest.mark.parametrize("n_micrographs", [1, 4])
    def test_particles_are_evidence(self, n_micrographs):
        found = compared(
            [particles(i) for i in range(n_micrographs)],
            [rng([9, i]).normal(size=500) for i in range(n_micrographs)],
        )

        assert found.has_evidence
        assert found.n_real == 50 * n_micrographs
        assert found.n_null < 2
        assert found.share_in_excess.low > 0.9

    def test_few_particles_are_evidence(self):
        real = [particles(i, n=6, n_noise=494) for i in range(4)]
        null = [rng([9, i]).normal(size=500) for i in range(4)]

        assert compared(real, null).has_evidence

    def test_dirt_on_one_of_four_micrographs_is_no_evidence(self):
        real = [particles(0), *(rng([i, 0]).normal(size=500) for i in (1, 2, 3))]
        null = [rng([9, i]).normal(size=500) for i in range(4)]

        assert not compared(real, null).has_evidence
        assert compared(real[:1], null[:1]).has_evidence

    def test_one_null_of_dirt_does_not_hide_particles(self):
        real = [particles(i) for i in range(4)]
        null = [rng([9, i]).normal(size=500) for i in range(3)]

        assert compared(real, [*null, particles(9, n=250)]).has_evidence

    def test_share_in_excess_counts_nulls_as_often_as_micrographs(self):
        real = [np.arange(100.0)]
        null = [np.arange(95.0), np.arange(95.0)]

        found = compared(real, null)

        assert (found.n_real, found.n_null) == (10, 5)
        assert found.share_in_excess.value == pytest.approx(0.5)

    def test_excess_never_falls_and_is_that_of_the_counts(self):
        found = compared(
            [np.repeat([0.0, 1.0, 2.0], [100, 40, 20])],
            [np.repeat([0.0, 1.0], [100, 10])],
        )

        assert found.excess(np.array([-1, 0, 1, 2, 3.0])) == pytest.approx(
            [0, 0, 0.75, 1, 1]
        )
        assert found.threshold_for(0.5) == 1
        assert compared([np.zeros(9)], [np.zeros(9)]).threshold_for(0.5) is None

    def test_less_than_noise_is_no_evidence(self):
        found = compared([rng().normal(size=300)], [particles(1)])

        assert not found.has_evidence
        assert found.share_in_excess.value == 0
        assert found.describe().startswith("No evidence for particles: ")

    def test_nothing_found_is_no_evidence(self):
        found = compared([np.zeros(0)], [rng().normal(size=300)])

        assert not found.has_evidence
        assert np.isnan(found.share_in_excess.value)
        assert found.describe().startswith("No evidence for particles: ")

    def test_sentence_gives_the_share_with_its_interval(self):
        text = compared([particles(0)], [rng(5).normal(size=500)]).describe()

        assert "as the best 50 here; 1.00 (0.9" in text

    def test_file_gives_back_what_was_written(self, tmp_path):
        for real in ([particles(0)], [np.zeros(0)]):
            found = compared(real, [rng(5).normal(size=500)])
            found.write(tmp_path / "null.json")

            assert NullComparison.read(tmp_path / "null.json") == found

    @pytest.mark.parametrize(("n_real", "n_null"), [(0, 0), (2, 3), (1, 0)])
    def test_nulls_that_do_not_fit_are_refused(self, n_real, n_null):
        with pytest.raises(ValueError, match="as many nulls"):
            compared([np.zeros(3)] * n_real, [np.zeros(3)] * n_null)

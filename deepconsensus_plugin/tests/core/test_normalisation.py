"""The mixture of the pixels of all micrographs, and micrographs normalised by it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from deepconsensus_plugin.core.pickers.trained.normalisation import (
    Normalisation,
    fit_mixture_of_micrographs,
    normalise_micrograph,
    normalise_pixels,
    scale_of,
)
from deepconsensus_plugin.core.pickers.trained.pixel_mixture import PixelMixture

MIXTURE = PixelMixture((0.2, 0.8), (40.0, 100.0), (8.0, 15.0))
BACKGROUND_FREE = PixelMixture((0.25, 0.75), (-30.0, 10.0), (4.0, 8.0))
ALONE = (Normalisation.STANDARD, Normalisation.PER_MICROGRAPH)
SCALES = np.array([0.5, 0.8, 1.0, 1.6, 1.5625])  # geometric mean 1


def micrograph(mixture=MIXTURE, scale=1.0, *, seed=0, shape=(160, 200)):
    """Return pixels drawn from a mixture."""
    rng = np.random.default_rng(seed)
    component = rng.choice(len(mixture.weights), shape, p=mixture.weights)
    pixels = rng.normal(
        np.array(mixture.means)[component], np.array(mixture.deviations)[component]
    )
    return (scale * pixels).astype(np.float32)


def micrographs(mixture=MIXTURE, scales=SCALES):
    return [micrograph(mixture, a, seed=i) for i, a in enumerate(scales)]


@pytest.mark.parametrize("truth", [MIXTURE, BACKGROUND_FREE])
def test_parameters_are_recovered(truth):
    mixture, scales = fit_mixture_of_micrographs(micrographs(truth))
    order = np.argsort(mixture.means)

    np.testing.assert_allclose(scales, SCALES, rtol=0.01)
    assert np.exp(np.log(scales).mean()) == pytest.approx(1)
    np.testing.assert_allclose(
        np.take(mixture.weights, order), truth.weights, atol=0.01
    )
    np.testing.assert_allclose(np.take(mixture.means, order), truth.means, atol=0.5)
    np.testing.assert_allclose(
        np.take(mixture.deviations, order), truth.deviations, rtol=0.03
    )


def test_zero_mean_micrographs_differ_in_scale_only():
    one = PixelMixture((1.0,), (0.0,), (1.0,))

    mixture, scales = fit_mixture_of_micrographs(micrographs(one))

    np.testing.assert_allclose(scales, SCALES, rtol=0.02)
    assert mixture.dominant == pytest.approx((0, 1), abs=0.02)


def test_proportion_of_carbon_is_not_taken_for_a_scale():
    shares = (0.02, 0.1, 0.2, 0.3, 0.45)
    images = [
        micrograph(dataclasses.replace(MIXTURE, weights=(w, 1 - w)), a, seed=i)
        for i, (w, a) in enumerate(zip(shares, SCALES, strict=True))
    ]

    _, scales = fit_mixture_of_micrographs(images)

    np.testing.assert_allclose(scales, SCALES, rtol=0.02)


def test_order_of_micrographs_does_not_matter():
    images = micrographs()
    order = [3, 0, 4, 2, 1]

    mixture, scales = fit_mixture_of_micrographs(images)
    other, other_scales = fit_mixture_of_micrographs(images[i] for i in order)

    np.testing.assert_allclose(other_scales, scales[order], rtol=1e-6)
    np.testing.assert_allclose(other.means, mixture.means, rtol=1e-6)


def test_a_new_micrograph_gets_the_scale_it_would_have_had():
    mixture, scales = fit_mixture_of_micrographs(micrographs())

    found = [scale_of(image, mixture) for image in micrographs()]

    np.testing.assert_allclose(found, scales, rtol=1e-4)


@pytest.mark.parametrize("truth", [MIXTURE, BACKGROUND_FREE])
@pytest.mark.parametrize("normalisation", Normalisation)
def test_exposure_does_not_change_the_normalised_micrograph(truth, normalisation):
    image = micrograph(truth)

    once, thrice = (
        normalise_micrograph(a * image, normalisation, truth) for a in (1, 3)
    )

    np.testing.assert_allclose(thrice, once, atol=1e-4)
    assert once.dtype == np.float32


def test_dominant_component_is_standardised():
    carbon_free = micrograph(PixelMixture((1.0,), (100.0,), (15.0,)), 2.0)

    normalised = normalise_pixels(carbon_free, MIXTURE, 2.0)

    assert normalised.mean() == pytest.approx(0, abs=0.02)
    assert normalised.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("normalisation", ALONE)
def test_micrograph_by_itself_may_be_offset(normalisation):
    image = micrograph()

    np.testing.assert_allclose(
        normalise_micrograph(image + 500, normalisation, None),
        normalise_micrograph(image, normalisation, None),
        atol=0.01,
    )


def test_standard_is_mean_0_and_deviation_1():
    normalised = normalise_micrograph(micrograph(), Normalisation.STANDARD, None)

    assert normalised.mean() == pytest.approx(0, abs=1e-4)
    assert normalised.std() == pytest.approx(1, abs=1e-4)


def test_one_kind_of_pixels_makes_one_component():
    one = PixelMixture((1.0,), (7.0,), (2.0,))

    mixture, _ = fit_mixture_of_micrographs([micrograph(one)])

    assert mixture.weights == (1.0,)
    assert mixture.dominant == pytest.approx((7, 2), abs=0.05)


def test_constant_border_is_a_component_of_its_own():
    image = micrograph(PixelMixture((1.0,), (100.0,), (15.0,)))
    image[:, :40] = 0

    normalised = normalise_micrograph(image, Normalisation.PER_MICROGRAPH, None)[:, 40:]

    assert normalised.mean() == pytest.approx(0, abs=0.02)
    assert normalised.std() == pytest.approx(1, abs=0.02)


def test_missing_pixels_are_left_out_and_become_the_level():
    image = micrograph(scale=1.25)
    broken = image.copy()
    broken[::7, ::5], broken[3, 3] = np.nan, np.inf
    is_finite = np.isfinite(broken)

    normalised, whole = (
        normalise_micrograph(each, Normalisation.COMMON_MIXTURE, MIXTURE)
        for each in (broken, image)
    )

    assert scale_of(broken, MIXTURE) == pytest.approx(1.25, rel=0.01)
    assert (normalised[~is_finite] == 0).all()
    np.testing.assert_allclose(
        normalised[is_finite],
        whole[is_finite],
        atol=0.05,
    )


@pytest.mark.parametrize("value", [0.0, -3.0, np.nan])
def test_micrograph_without_variation_says_nothing(value):
    flat = np.full((20, 30), value, np.float32)

    mixture, scales = fit_mixture_of_micrographs([flat, micrograph()])
    alone, _ = fit_mixture_of_micrographs([micrograph()])

    assert scales[0] == 1
    assert scale_of(flat, mixture) == 1
    assert mixture == alone
    for normalisation in Normalisation:
        assert not normalise_micrograph(flat, normalisation, mixture).any()


def test_few_and_repeated_pixels_are_enough():
    mixture, scales = fit_mixture_of_micrographs([np.array([1, 2]), np.array([2, 4])])

    assert scales[1] / scales[0] == pytest.approx(2, rel=1e-3)
    assert mixture.dominant[1] > 0


def test_what_lacks_is_named():
    with pytest.raises(ValueError, match="mixture of all micrographs"):
        normalise_micrograph(micrograph(), Normalisation.COMMON_MIXTURE, None)
    with pytest.raises(ValueError, match="received 2 without"):
        fit_mixture_of_micrographs([np.zeros((4, 4)), np.full((4, 4), np.nan)])


def test_mixture_is_plain_json():
    mixture, _ = fit_mixture_of_micrographs([micrograph()])
    plain = json.loads(json.dumps(dataclasses.asdict(mixture)))

    assert PixelMixture(**{k: tuple(v) for k, v in plain.items()}) == mixture

"""Fourier cropping of micrographs, and where their pixels come to lie."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.pickers.trained.downsampling import (
    Downsampling,
    downsample,
)

SHAPES = pytest.mark.parametrize("shape", [(240, 320), (241, 211), (97, 350)])


def blob(shape, yx, sigma):
    """Return a Gaussian at a position between pixels."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    squared = (y - yx[0]) ** 2 + (x - yx[1]) ** 2
    return np.exp(-squared / 2 / sigma**2)


def centroid(image):
    weight = np.where(image > 1e-3, image, 0)
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * y).sum(), (weight * x).sum()]) / weight.sum()


def cosine(shape, cycles_y, cycles_x):
    """Return an image that is its own mirror image beyond every border."""
    y, x = ((np.arange(n) + 0.5) / n for n in shape)
    return np.cos(np.pi * cycles_y * y)[:, None] * np.cos(np.pi * cycles_x * x)


@SHAPES
@pytest.mark.parametrize("factor", [1, 1.5, 2, 3.7, 8])
def test_blob_is_found_where_the_grids_say(shape, factor):
    truth = np.array([[shape[0] * 0.431, shape[1] * 0.617]])
    image = downsample(blob(shape, truth[0], 1.2 * factor), factor)
    grids = Downsampling(shape, factor)

    np.testing.assert_allclose(
        centroid(image), grids.from_micrograph(truth)[0], atol=0.02
    )
    assert image.shape == grids.new_shape
    assert image.dtype == np.float32


@SHAPES
def test_positions_go_there_and_back(shape):
    grids = Downsampling(shape, 2.9)
    yx = np.array([[0.0, 0.0], [12.25, 80.5]])

    np.testing.assert_allclose(
        grids.to_micrograph(grids.from_micrograph(yx)), yx, atol=1e-9
    )


def test_pixels_are_the_middles_of_equal_parts():
    grids = Downsampling((240, 320), 4)

    assert grids.factors == (4, 4)
    assert grids.new_shape == (60, 80)
    assert grids.to_micrograph(np.array([[0, 79]])).tolist() == [[1.5, 317.5]]


@SHAPES
@pytest.mark.parametrize("factor", [1, 1.37, 2, 5.3, 30])
def test_the_factor_is_met_and_the_whole_micrograph_is_seen(shape, factor):
    grids = Downsampling(shape, factor)
    last = grids.to_micrograph(np.array([grids.new_shape]) - 0.5)[0] + 0.5

    np.testing.assert_allclose(grids.factors, factor, rtol=0.5 * factor / min(shape))
    np.testing.assert_allclose(last, shape, atol=factor / 2 + 1e-9)


def test_low_frequencies_are_kept_and_high_ones_are_not():
    shape = (240, 320)
    low, high = cosine(shape, 11, 23), cosine(shape, 70, 23)

    result = downsample(low + high, 4)

    np.testing.assert_allclose(result, cosine((60, 80), 11, 23), atol=1e-5)


@SHAPES
def test_level_and_gradient_reach_the_borders_without_ripples(shape):
    y, x = np.ogrid[: shape[0], : shape[1]]
    grids = Downsampling(shape, 4)
    centres = grids.to_micrograph(np.argwhere(np.ones(grids.new_shape)))

    level = downsample(np.full(shape, 1000.0), 4)
    slope = downsample(y + 2.0 * x, 4).ravel()

    np.testing.assert_allclose(level, 1000, rtol=1e-6)
    np.testing.assert_allclose(slope, centres @ [1, 2], atol=3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64])
def test_every_type_gives_the_same_image(dtype):
    image = np.random.default_rng(2).integers(0, 255, (90, 121))

    np.testing.assert_allclose(
        downsample(image.astype(dtype), 2.5), downsample(image, 2.5), atol=1e-3
    )


def test_rows_do_not_depend_on_how_many_are_taken_at_once(monkeypatch):
    image = np.random.default_rng(2).normal(size=(300, 100)).astype(np.float32)
    expected = downsample(image, 3)
    monkeypatch.setattr(
        "deepconsensus_plugin.core.pickers.trained.downsampling._ROWS_AT_ONCE", 7
    )

    np.testing.assert_array_equal(downsample(image, 3), expected)


def test_missing_pixels_count_as_the_mean_of_the_others():
    image = np.random.default_rng(3).normal(5, 1, (64, 64))
    image[:10], image[20, 20] = np.nan, np.inf
    filled = np.where(np.isfinite(image), image, image[np.isfinite(image)].mean())

    np.testing.assert_allclose(downsample(image, 2), downsample(filled, 2), atol=1e-5)
    np.testing.assert_allclose(downsample(image, 1), filled, atol=1e-5)


@pytest.mark.parametrize("factor", [0.5, np.nan, 65])
def test_unusable_factor_is_named(factor):
    with pytest.raises(ValueError, match=f"received {factor:g}"):
        downsample(np.zeros((64, 80)), factor)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"received \(2, 8, 8\)"):
        downsample(np.zeros((2, 8, 8)), 2)
    with pytest.raises(ValueError, match="without any finite pixel"):
        downsample(np.full((8, 8), np.nan), 2)

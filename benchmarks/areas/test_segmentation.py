# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of contaminants on images of any pixel size, level and contrast.

Its weights are random here: what is held to does not depend on a training.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.areas.network import (
    CLASSES,
    DOWN,
    LAYERS,
    UP,
    WEIGHTS,
    ContaminationNetwork,
    read_network,
    write_network,
)
from benchmarks.areas.network_input import (
    N_CHANNELS,
    network_input,
)
from benchmarks.areas.segmentation import segment_contamination
from deepconsensus_plugin.core.errors import FileFormatError

PIXEL_SIZE_A = 12.0
WIDTH = 6


@pytest.fixture(scope="module")
def network():
    rng = np.random.default_rng(8)
    weights = {}
    for name in LAYERS:
        n_in = N_CHANNELS if name == "stem" else 2 * WIDTH if name in UP else WIDTH
        n_out = len(CLASSES) if name == "classes" else WIDTH
        side = 1 if name == "classes" else 3
        kernel = rng.normal(0, (2 / n_in) ** 0.5 / side, (side, side, n_in, n_out))
        weights[f"{name}_kernel"] = kernel.astype(np.float16).astype(np.float32)
        weights[f"{name}_bias"] = np.zeros(n_out, np.float32)
    return ContaminationNetwork(weights, (8.5, 17.0), 0.7)


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(3)
    image = rng.normal(100, 10, (131, 150))
    image[:, 90:] -= 60
    return image


@pytest.fixture
def segment(network):
    def run(image, pixel_size_A=PIXEL_SIZE_A, **options):
        image = np.asarray(image, np.float32)
        return segment_contamination(
            image,
            np.isfinite(image),
            pixel_size_A=pixel_size_A,
            network=network,
            **options,
        )

    return run


def test_kinds_are_those_of_probable_contamination(segment, image, network):
    found = segment(image)
    assert found.kinds.shape == found.probability.shape == image.shape
    assert found.kinds.dtype == np.uint8
    assert set(np.unique(found.kinds)) <= set(CLASSES)
    np.testing.assert_array_equal(
        found.kinds > 0, found.probability >= network.threshold
    )
    assert found.probability.std() > 0.01


@pytest.mark.parametrize("enlarging", [3, 8])
def test_fine_pixels_are_binned_for_the_network(segment, image, enlarging):
    expected = segment(image).probability
    fine = np.kron(image, np.ones((enlarging, enlarging)))
    found = segment(fine, PIXEL_SIZE_A / enlarging).probability
    assert found.shape == fine.shape
    np.testing.assert_allclose(found[::enlarging, ::enlarging], expected, atol=1e-4)
    assert segment(fine[:-1, :-2], PIXEL_SIZE_A / enlarging).kinds.shape == (
        len(fine) - 1,
        fine.shape[1] - 2,
    )


@pytest.mark.parametrize("pixel_size_A", [18.0, 40.0])
def test_coarse_pixels_are_enlarged(segment, image, pixel_size_A):
    found = segment(image, pixel_size_A)
    assert found.kinds.shape == found.probability.shape == image.shape
    assert np.isfinite(found.probability).all()


def test_level_scale_and_contrast_do_not_matter(segment, image):
    expected = segment(image).probability
    np.testing.assert_allclose(
        segment(image * 0.01 - 3).probability, expected, atol=0.01
    )
    inverted = segment(-image, particles_dark=False).probability
    np.testing.assert_allclose(inverted, expected, atol=0.01)
    assert not np.allclose(segment(-image).probability, expected, atol=0.01)


def test_nothing_is_found_where_there_is_no_signal(segment, image):
    gap = image.copy()
    gap[:, :40] = np.nan
    found = segment(gap)
    assert np.isfinite(found.probability).all()
    assert not found.probability[:, :40].any()
    assert not found.kinds[:, :40].any()
    assert not segment(np.full((70, 80), np.nan)).kinds.any()


def test_an_image_that_does_not_vary_has_no_contrast():
    flat = np.full((70, 80), 5.0, np.float32)
    channels = network_input(flat, flat > 0, pixel_size_A=PIXEL_SIZE_A)
    assert not channels.any()


def test_network_is_read_as_it_was_written(tmp_path, network):
    write_network(tmp_path, network, {"pixel_sizes_A": [8, 17], "threshold": 0.6})
    kept = read_network(tmp_path)
    assert (kept.pixel_sizes_A, kept.threshold) == ((8, 17), 0.6)
    assert set(kept.weights) == set(network.weights)
    for name, values in network.weights.items():
        np.testing.assert_array_equal(kept.weights[name], values)
    np.savez(tmp_path / WEIGHTS, other=np.zeros(3))
    with pytest.raises(FileFormatError, match="the weights of the network"):
        read_network(tmp_path)


def test_every_level_on_the_way_down_is_joined_on_the_way_back():
    assert [block.removeprefix("up") for block in UP] == ["4", "3", "2", "1"]
    assert len(DOWN) == len(UP) + 1

# SPDX-License-Identifier: GPL-3.0-or-later
"""Contamination found by the shipped network, at any pixel size, level and contrast."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    Exposure,
    Phantom,
    SimulationParameters,
    Structure,
    simulate_micrograph,
)
from deepconsensus_plugin.core.usable_area.kinds import AreaKind
from deepconsensus_plugin.core.usable_area.network import (
    WEIGHTS,
    read_network,
    shipped_network,
    write_network,
)
from deepconsensus_plugin.core.usable_area.network_input import network_input
from deepconsensus_plugin.core.usable_area.segmentation import segment_contamination

PIXEL_SIZE_A = 12.0
SCENE = SimulationParameters(
    shape=(260, 300),
    sampling_rate=PIXEL_SIZE_A,
    structures=(Structure(Phantom.TETRAMER),),
    exposure=Exposure(binning=10),
    crowd=Crowd(60, broken_fraction=0, aggregates=0),
    contamination=Contamination(None, 0.0, 1.0, 0.0, 0.0, 0.0),
    seed=4,
)


@pytest.fixture(scope="module")
def micrograph():
    return simulate_micrograph(SCENE, 0)


def _segment(image, pixel_size_A=PIXEL_SIZE_A, **options):
    image = np.asarray(image, np.float32)
    has_signal = np.isfinite(image)
    return segment_contamination(
        image, has_signal, pixel_size_A=pixel_size_A, **options
    )


def _iou(kinds, truth):
    found, true = kinds > 0, truth > 0
    return (found & true).sum() / (found | true).sum()


def test_carbon_is_found_and_named(micrograph):
    found = _segment(micrograph.image)
    assert found.kinds.shape == found.probability.shape == micrograph.image.shape
    assert found.kinds.dtype == np.uint8
    assert _iou(found.kinds, micrograph.contamination) > 0.8
    assert (found.kinds[found.kinds > 0] == AreaKind.CARBON).mean() > 0.8


@pytest.mark.parametrize("enlarging", [3, 8])
def test_pixels_are_binned_for_the_network(micrograph, enlarging):
    fine = np.kron(micrograph.image, np.ones((enlarging, enlarging)))[:-1]
    kinds = _segment(fine, PIXEL_SIZE_A / enlarging).kinds
    assert kinds.shape == fine.shape
    truth = np.kron(micrograph.contamination, np.ones((enlarging, enlarging)))[:-1]
    assert _iou(kinds, truth) > 0.8


def test_coarse_pixels_are_enlarged(micrograph):
    coarse = micrograph.image.reshape(130, 2, 150, 2).mean(axis=(1, 3))
    kinds = _segment(coarse, 2 * PIXEL_SIZE_A).kinds
    assert kinds.shape == coarse.shape
    assert _iou(kinds, micrograph.contamination[::2, ::2]) > 0.7


def test_level_scale_and_contrast_do_not_matter(micrograph):
    expected = _segment(micrograph.image).probability
    shifted = _segment(micrograph.image * 0.01 - 3).probability
    np.testing.assert_allclose(shifted, expected, atol=0.01)
    inverted = _segment(-micrograph.image, particles_dark=False).probability
    np.testing.assert_allclose(inverted, expected, atol=0.01)


def test_nothing_is_found_where_there_is_no_signal(micrograph):
    image = micrograph.image.copy()
    image[:, :40] = np.nan
    found = _segment(image)
    assert np.isfinite(found.probability).all()
    assert not found.probability[:, :40].any()
    assert not found.kinds[:, :40].any()
    assert not _segment(np.full((70, 80), np.nan)).kinds.any()


def test_an_image_that_does_not_vary_has_no_contrast():
    flat = np.full((70, 80), 5.0, np.float32)
    channels = network_input(flat, flat > 0, pixel_size_A=PIXEL_SIZE_A)
    assert not channels.any()


def test_network_is_small_and_read_as_it_was_written(tmp_path):
    network = shipped_network()
    write_network(tmp_path, network, {"pixel_sizes_A": [8, 17], "threshold": 0.6})
    assert (tmp_path / WEIGHTS).stat().st_size < 300_000
    kept = read_network(tmp_path)
    assert (kept.pixel_sizes_A, kept.threshold) == ((8, 17), 0.6)
    for name, values in network.weights.items():
        np.testing.assert_array_equal(kept.weights[name], values)
    np.savez(tmp_path / WEIGHTS, other=np.zeros(3))
    with pytest.raises(FileFormatError, match="the weights of the network"):
        read_network(tmp_path)

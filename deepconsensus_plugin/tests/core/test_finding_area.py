# SPDX-License-Identifier: GPL-3.0-or-later
"""Usable area as it is found: padding, no signal, contamination, and no particles."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.usable_area.bad_micrographs import is_mostly_unusable
from deepconsensus_plugin.core.usable_area.finding import find_area
from deepconsensus_plugin.core.usable_area.kinds import AreaKind
from deepconsensus_plugin.core.usable_area.permitting import (
    are_permitted,
    are_recorded,
    distance_of,
)

SHAPE = (401, 563)
DIAMETER = 30.0
PADDING, NO_SIGNAL = AreaKind.PADDING, AreaKind.NO_SIGNAL


def noise(seed: int = 0, shape=SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def with_discs(image: np.ndarray, contrast: float) -> tuple[np.ndarray, np.ndarray]:
    """Return an image with dark discs on a lattice, and their centres."""
    rows, columns = np.indices(image.shape)
    half = DIAMETER / 2
    y, x = (axis % 40 - 20 for axis in (rows, columns))
    centres = np.argwhere((y == 0) & (x == 0) & (rows < 380) & (columns < 540))
    inside = (y**2 + x**2 <= half**2).astype(np.float32)
    return image - contrast * inside, centres.astype(float)


def kinds_of(pixels: np.ndarray, **options) -> np.ndarray:
    """Return the kind of every pixel of a micrograph."""
    options = {"sampling_rate": 2.0, "diameter_A": 2 * DIAMETER} | options
    area = find_area(pixels, **options)
    assert area.shape_px == pixels.shape
    full = np.kron(area.kinds, np.ones((area.binning,) * 2, np.uint8))
    return full[: pixels.shape[0], : pixels.shape[1]]


def test_all_of_a_plain_micrograph_is_usable():
    for pixels in (noise(), 5e3 + 40 * noise(1), (20 * noise(2)).astype(np.int16)):
        assert (kinds_of(pixels) != AreaKind.USABLE).mean() < 0.01


def test_streaks_at_all_borders_are_padding():
    pixels = noise()
    pixels[:12], pixels[-21:] = pixels[12], pixels[-22]
    pixels[:, :9], pixels[:, -30:] = pixels[:, 9:10], pixels[:, -31:-30]
    kinds = kinds_of(pixels)
    is_padded = np.ones(SHAPE, bool)
    is_padded[12 - 3 : 3 - 21, 9 - 3 : 3 - 30] = False  # to a pixel of the mask
    assert (kinds[is_padded] == PADDING).all()
    is_inside = np.zeros(SHAPE, bool)
    is_inside[12 + 3 : -3 - 21, 9 + 3 : -3 - 30] = True
    assert (kinds[is_inside] == AreaKind.USABLE).mean() > 0.99


@pytest.mark.parametrize("value", [0.0, 7.5, np.nan, np.inf])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_what_has_one_value_or_none_is_without_signal(value, share):
    pixels = noise()
    width = round(share * SHAPE[1])
    pixels[:, :width] = value
    kinds = kinds_of(pixels)
    assert np.isin(kinds[:, : width - 10], (PADDING, NO_SIGNAL)).mean() > 0.99
    assert np.isin(kinds[:, width + 15 :], (PADDING, NO_SIGNAL)).mean() < 0.01


def test_a_hole_inside_is_without_signal():
    pixels = noise()
    pixels[100:180, 200:300] = np.nan
    pixels[250:330, 50:150] = -3.0
    kinds = kinds_of(pixels)
    for hole in (kinds[100:180, 200:300], kinds[254:326, 54:146]):
        assert (hole == NO_SIGNAL).all()
    assert (kinds == NO_SIGNAL).mean() < 0.09


def test_dead_pixels_and_lines_are_no_hole():
    pixels = noise()
    pixels[200] = pixels[:, 300] = pixels[50, 60] = np.nan
    assert (kinds_of(pixels) != AreaKind.USABLE).mean() < 0.01


def test_counts_in_few_grey_values_are_an_image():
    for pixels in (
        np.random.default_rng(1).poisson(0.3, SHAPE).astype(np.uint8),
        np.round(0.5 * noise()).astype(np.int8),
    ):
        assert not (kinds_of(pixels, diameter_A=20) == NO_SIGNAL).any()


@pytest.mark.parametrize("contrast", [0.5, 2.0, 20.0])
def test_particles_are_usable_and_carbon_is_not(contrast):
    pixels, centres = with_discs(noise(), contrast)
    pixels[:, 480:] = 3 * pixels[:, 480:] - 5 * contrast - 10
    kinds = kinds_of(pixels)
    rows, columns = centres[centres[:, 1] < 440].astype(int).T
    assert (kinds[rows, columns] == AreaKind.USABLE).mean() > 0.99
    assert (kinds[:, 500:] == AreaKind.CONTAMINATION).all()


def test_contrast_and_scale_do_not_matter():
    pixels, _ = with_discs(noise(), 2.0)
    pixels[:, 480:] -= 20
    for other in (-pixels, 1e4 + 100 * pixels):
        np.testing.assert_array_equal(kinds_of(other), kinds_of(pixels))


def test_masks_of_large_micrographs_are_small():
    large = np.zeros((2300, 2400), np.int8)
    large[:] = np.random.default_rng(0).integers(-50, 50, large.shape)
    assert find_area(large, sampling_rate=1.0, diameter_A=10).binning == 2
    assert find_area(large, sampling_rate=1.0, diameter_A=300).binning == 9
    assert find_area(large, sampling_rate=0.3, diameter_A=300).binning == 30
    assert find_area(large[:40, :70], sampling_rate=1.0, diameter_A=300).binning == 1


def test_what_is_mostly_unusable_is_bad():
    area = {"sampling_rate": 2.0, "diameter_A": 60.0}
    assert not is_mostly_unusable(find_area(noise(), **area))
    for pixels in (np.full(SHAPE, np.nan), np.zeros(SHAPE, np.int8)):
        assert is_mostly_unusable(find_area(pixels, **area))
    mostly = noise()
    mostly[:, :450] = 0
    assert is_mostly_unusable(find_area(mostly, **area))


def test_distances_tell_what_was_recorded():
    pixels = noise()
    pixels[:, :60] = 5.0
    pixels[150:250, 400:520] -= 30
    area = find_area(pixels, sampling_rate=2.0, diameter_A=60)
    yx = np.array([[200.0, 20.0], [200.0, 460.0], [200.0, 230.0]])
    assert are_recorded(area, yx).tolist() == [False, True, True]
    padded, dirty, clean = distance_of(area, yx)
    assert padded == -np.inf and -70 < dirty < -30 and 120 < clean < 200
    distance = np.array([padded, dirty, clean])
    assert are_permitted(distance, avoid_contamination=True).tolist() == [0, 0, 1]
    assert are_permitted(distance, avoid_contamination=False).tolist() == [0, 1, 1]


def test_refuses_what_is_no_micrograph():
    with pytest.raises(
        ValueError, match=r"rows and columns, received shape \(2, 3, 4\)"
    ):
        find_area(np.zeros((2, 3, 4)), sampling_rate=1.0, diameter_A=10)
    with pytest.raises(ValueError, match="expected > 0, received 1 and 0"):
        find_area(noise(), sampling_rate=1.0, diameter_A=0)

# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.extraction import extract_boxes, round_centres

MICROGRAPH = np.arange(40 * 60, dtype=np.int16).reshape(40, 60)


@pytest.mark.parametrize("box_size", [6, 7])
def test_box_starts_half_a_box_before_its_centre(box_size):
    box = extract_boxes(MICROGRAPH, np.array([[20.2, 30.4]]), box_size)[0]
    first = 20 - box_size // 2, 30 - box_size // 2
    expected = MICROGRAPH[
        first[0] : first[0] + box_size, first[1] : first[1] + box_size
    ]
    np.testing.assert_array_equal(box, expected)
    assert box.dtype == np.float32


@pytest.mark.parametrize("centre", [(0, 0), (39, 59), (-100, 30), (20, 500)])
def test_outside_is_the_mirror_image(centre):
    padded = np.pad(MICROGRAPH, 600, mode="symmetric")
    y, x = centre[0] + 600, centre[1] + 600
    expected = padded[y - 5 : y + 5, x - 5 : x + 5]
    box = extract_boxes(MICROGRAPH, np.array([centre], float), 10)[0]
    np.testing.assert_array_equal(box, expected)


def test_box_larger_than_the_micrograph():
    padded = np.pad(MICROGRAPH, 100, mode="symmetric")
    box = extract_boxes(MICROGRAPH, np.array([[20.0, 30.0]]), 100)[0]
    np.testing.assert_array_equal(box, padded[70:170, 80:180])


def test_no_coordinates_give_no_boxes():
    assert extract_boxes(MICROGRAPH, np.empty((0, 2)), 8).shape == (0, 8, 8)


def test_holes_get_the_mean_of_their_box():
    micrograph = MICROGRAPH.astype(np.float32)
    micrograph[20, 30] = np.nan
    micrograph[21, 30] = np.inf
    whole, holed = (
        extract_boxes(image, np.array([[20.0, 30.0], [5.0, 5.0]]), 9)
        for image in (MICROGRAPH, micrograph)
    )
    known = np.ones((9, 9), bool)
    known[4:6, 4] = False
    np.testing.assert_array_equal(holed[0][known], whole[0][known])
    np.testing.assert_allclose(holed[0][~known], whole[0][known].mean(), rtol=1e-6)
    np.testing.assert_array_equal(holed[1], whole[1])
    empty = extract_boxes(np.full((9, 9), np.nan), np.array([[4.0, 4.0]]), 9)
    assert not empty.any()


def test_halves_are_rounded_upwards_everywhere():
    np.testing.assert_array_equal(round_centres(np.array([[0.5, 1.5]])), [[1, 2]])


def test_refuses_a_stack_and_an_empty_box():
    with pytest.raises(ValueError, match="2-D micrograph, received"):
        extract_boxes(np.zeros((2, 3, 4)), np.zeros((1, 2)), 2)
    with pytest.raises(ValueError, match="box_size must be >= 1"):
        extract_boxes(MICROGRAPH, np.zeros((1, 2)), 0)

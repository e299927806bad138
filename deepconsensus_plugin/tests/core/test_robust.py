# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of robust level and spread."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deepconsensus_plugin.core.robust import centre_and_scale, median_and_mad


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_median_and_median_deviation(n, dtype):
    values = np.random.default_rng(n).normal(3, 2, n).astype(dtype)
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    assert median_and_mad(values) == (float(middle), float(spread))


def test_a_fifth_of_outliers_moves_neither_far():
    values = np.random.default_rng(0).normal(10, 2, 30_000)
    assert median_and_mad(values) == pytest.approx((10, 2), abs=0.05)
    values[:6_000] = 1e6
    middle, spread = median_and_mad(values)
    assert 10 < middle < 11
    assert 2 < spread < 3


def test_half_of_equal_values_have_no_spread():
    assert median_and_mad(np.array([5.0, 5, 5, 9])) == (5, 0)


def test_columns_are_each_their_own():
    columns = np.random.default_rng(1).normal(size=(50, 3)) * [1, 10, 100]
    centre, scale = centre_and_scale(columns)
    each = [median_and_mad(column) for column in columns.T]
    assert_array_equal(np.stack([centre, scale], axis=1), each)


def test_the_scale_of_a_column_is_never_0():
    values = np.array([[1.0, 5, 0], [2, 5, 0], [3, 5, 0], [4, 5, 0], [100, 5, 5]])
    centre, scale = centre_and_scale(values)
    assert_allclose(centre, [3, 5, 0])
    assert_allclose(scale, [1.4826, 1, 2])

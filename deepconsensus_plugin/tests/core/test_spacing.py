# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of minimum distances between particles and to the edge."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.consensus.spacing import are_apart, are_off_border


def test_of_two_that_are_too_close_neither_is_left():
    yx = np.array([[0, 0], [0, 3], [0, 3], [0, 10.0]])
    micrograph = np.array([1, 0, 1, 1])
    assert are_apart(yx, micrograph, 4).tolist() == [False, True, False, True]
    assert are_apart(yx, micrograph, 3).all()


def test_apart_equals_all_pairs():
    rng = np.random.default_rng(0)
    yx, micrograph = rng.uniform(0, 30, (200, 2)), rng.integers(0, 5, 200)
    distance = np.linalg.norm(yx[:, None] - yx, axis=2)
    too_close = (distance < 2) & (micrograph[:, None] == micrograph)
    np.fill_diagonal(too_close, False)
    assert too_close.any()
    np.testing.assert_array_equal(are_apart(yx, micrograph, 2), ~too_close.any(axis=1))


def test_nothing_is_apart_and_off_the_border():
    assert are_apart(np.empty((0, 2)), np.empty(0, dtype=int), 1).shape == (0,)
    assert are_off_border(np.empty((0, 2)), np.empty((0, 2)), 1).shape == (0,)


def test_each_micrograph_has_its_own_border():
    yx = np.array([[5, 20], [5, 20], [4, 20], [95, 20.0]])
    extents = np.array([[100, 40], [100, 24], [100, 40], [100, 40]])
    assert are_off_border(yx, extents, 5).tolist() == [True, False, False, True]

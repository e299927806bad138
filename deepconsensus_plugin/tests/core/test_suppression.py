# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of non-maximum suppression."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from deepconsensus_plugin.core.consensus.suppression import suppress_overlaps
from deepconsensus_plugin.core.types import ScoredCoordinates


def test_best_of_a_chain_frees_what_is_beyond_its_reach():
    picks = ScoredCoordinates.from_arrays([[0, 0], [0, 4], [0, 8]], [1, 3, 2])
    assert suppress_overlaps(picks, radius_px=5).yx.tolist() == [[0, 4]]
    ends_first = ScoredCoordinates.from_arrays(picks.yx, [2, 1, 3])
    kept = suppress_overlaps(ends_first, radius_px=5)
    assert kept.yx.tolist() == [[0, 8], [0, 0]]  # best first


def test_the_radius_itself_overlaps():
    picks = ScoredCoordinates.from_arrays([[0, 0], [0, 5]], [2, 1])
    assert len(suppress_overlaps(picks, radius_px=5)) == 1
    assert len(suppress_overlaps(picks, radius_px=4.99)) == 2


def test_ties_keep_input_order_and_nan_is_worst():
    picks = ScoredCoordinates.from_arrays([[9, 9], [0, 1], [0, 0]], [np.nan, 1, 1])
    kept = suppress_overlaps(picks, radius_px=2)
    assert kept.yx.tolist() == [[0, 1], [9, 9]]


def test_what_is_left_is_apart_and_every_other_pick_has_a_better_neighbour():
    rng = np.random.default_rng(0)
    picks = ScoredCoordinates.from_arrays(
        rng.uniform(0, 100, (300, 2)), rng.random(300)
    )
    kept = suppress_overlaps(picks, radius_px=7)
    distances = cdist(kept.yx, kept.yx) + 1e9 * np.eye(len(kept))
    assert distances.min() > 7
    near = cdist(picks.yx, kept.yx) <= 7
    assert (np.where(near, kept.scores, -1).max(axis=1) >= picks.scores).all()


def test_nothing_stays_nothing_and_a_radius_must_be_positive():
    nothing = ScoredCoordinates.from_arrays([])
    assert len(suppress_overlaps(nothing, radius_px=3)) == 0
    with pytest.raises(ValueError, match="radius_px must be > 0, received 0"):
        suppress_overlaps(nothing, radius_px=0)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Matching of picks with truths, against a slow search through all matchings."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from deepconsensus_plugin.core.metrics.matching import (
    match_best_first,
    match_coordinates,
)

RADIUS = 5.0
# A coarse grid, so that equal distances, 3-4-5 triangles and doubles are common.
points = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=0, max_size=5
).map(lambda rows: np.array(rows, dtype=float).reshape(-1, 2))


def slow_best_matching(picks, truth, radius):
    """Try every assignment: the most pairs and, with as many, the least distance."""
    distance = np.linalg.norm(picks[:, None] - truth[None], axis=-1)
    best = (0, 0.0)
    for n_pairs in range(1, min(len(picks), len(truth)) + 1):
        for chosen in itertools.combinations(range(len(picks)), n_pairs):
            for partner in itertools.permutations(range(len(truth)), n_pairs):
                lengths = distance[list(chosen), list(partner)]
                if (lengths <= radius).all():
                    best = max(best, (n_pairs, -lengths.sum()))
    return best


def test_one_to_one_even_if_two_picks_are_near():
    pick, truth = match_coordinates(
        np.array([[0.0, 2.0], [0.0, 1.0], [50.0, 50.0]]), np.array([[0.0, 0.0]]), 5.0
    )
    assert (pick.tolist(), truth.tolist()) == ([1], [0])


def test_more_pairs_win_over_closer_pairs():
    # The nearest pair alone (distance 1) would leave the others without a partner.
    picks = np.array([[0.0, 4.0], [0.0, 9.0]])
    truth = np.array([[0.0, 0.0], [0.0, 5.0]])
    pick, true = match_coordinates(picks, truth, 4.0)
    assert (pick.tolist(), true.tolist()) == ([0, 1], [0, 1])


def test_least_distance_among_equally_many():
    picks = np.array([[0.0, 0.0], [0.0, 4.0]])
    truth = np.array([[0.0, 3.0], [0.0, 1.0]])
    pick, true = match_coordinates(picks, truth, 4.0)
    assert (pick.tolist(), true.tolist()) == ([0, 1], [1, 0])


def test_the_radius_is_included():
    picks, truth = np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]])
    assert len(match_coordinates(picks, truth, 5.0)[0]) == 1
    assert len(match_coordinates(picks, truth, 4.999)[0]) == 0


def test_same_place_at_radius_zero():
    both = np.array([[1.5, 2.5], [7.0, 7.0]])
    pick, true = match_coordinates(both, both[::-1], 0.0)
    assert (pick.tolist(), true.tolist()) == ([0, 1], [1, 0])


@pytest.mark.parametrize(("n_picks", "n_truth"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_match(n_picks, n_truth):
    pick, truth = match_coordinates(np.ones((n_picks, 2)), np.ones((n_truth, 2)), 9.0)
    assert len(pick) == len(truth) == 0
    assert pick.dtype.kind == truth.dtype.kind == "i"


@pytest.mark.parametrize("radius", [-1.0, np.nan, np.inf])
def test_a_radius_must_be_a_distance(radius):
    with pytest.raises(ValueError, match="radius_px must be >= 0 and finite"):
        match_coordinates(np.ones((1, 2)), np.ones((1, 2)), radius)


@settings(deadline=None, max_examples=150)
@given(points, points)
def test_equals_the_slow_search(picks, truth):
    pick, true = match_coordinates(picks, truth, RADIUS)
    lengths = np.linalg.norm(picks[pick] - truth[true], axis=1)
    n_pairs, minus_distance = slow_best_matching(picks, truth, RADIUS)
    assert len(pick) == n_pairs
    assert lengths.sum() == pytest.approx(-minus_distance)
    assert (lengths <= RADIUS).all()
    assert len(set(pick)) == len(set(true)) == n_pairs


@settings(deadline=None, max_examples=150)
@given(points, points, st.data())
def test_best_first_equals_a_matching_at_every_threshold(picks, truth, data):
    score = st.sampled_from([0.1, 0.5, 0.9, np.nan])
    size = len(picks)
    scores = np.array(data.draw(st.lists(score, min_size=size, max_size=size)))
    is_match = match_best_first(picks, scores, truth, RADIUS)
    for threshold in (0.9, 0.5, 0.1):
        accepted = scores >= threshold
        among_themselves = match_coordinates(picks[accepted], truth, RADIUS)[0]
        assert is_match[accepted].sum() == len(among_themselves)
    assert is_match.sum() == len(match_coordinates(picks, truth, RADIUS)[0])


def test_the_better_score_is_matched_though_farther():
    picks, truth = np.array([[0.0, 1.0], [0.0, 3.0]]), np.zeros((1, 2))
    is_match = match_best_first(picks, np.array([0.2, 0.8]), truth, 5.0)
    assert is_match.tolist() == [False, True]


def test_the_closer_of_equal_scores_is_matched():
    picks, truth = np.array([[0.0, 3.0], [0.0, 1.0]]), np.zeros((1, 2))
    is_match = match_best_first(picks, np.array([0.5, 0.5]), truth, 5.0)
    assert is_match.tolist() == [False, True]


def test_a_crowded_micrograph_equals_the_dense_assignment():
    rng = np.random.default_rng(5)
    picks, truth = rng.uniform(0, 400, (2, 250, 2))
    radius = 20.0
    distance = np.linalg.norm(picks[:, None] - truth[None], axis=-1)
    forbidden = distance > radius
    rows, columns = linear_sum_assignment(np.where(forbidden, 1e6, distance))
    allowed = ~forbidden[rows, columns]
    pick, true = match_coordinates(picks, truth, radius)
    assert len(pick) == allowed.sum() > 150
    assert distance[pick, true].sum() == pytest.approx(
        distance[rows, columns][allowed].sum()
    )


def test_thousands_of_picks_are_matched_within_seconds():
    rng = np.random.default_rng(2)
    truth = rng.uniform(0, 8000, (10_000, 2))
    picks = rng.permutation(truth + rng.normal(0, 2, truth.shape))
    started = time.perf_counter()
    pick, _ = match_coordinates(picks, truth, 20.0)
    assert len(pick) > 9_990
    assert time.perf_counter() - started < 10

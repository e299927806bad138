# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds: which candidates are accepted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    PUBLISHED,
    ThresholdMode,
    ThresholdRule,
    choose_threshold,
    select,
)

NAN = float("nan")
SCORES = np.array([0.2, NAN, 0.9, 0.5, 0.5, 0.5, NAN, 0.1])
FIRST_N = ThresholdMode.FIRST_N
MAX_F = ThresholdMode.MAX_F
MIN_PRECISION = ThresholdMode.MIN_PRECISION


def test_a_score_equal_to_the_threshold_is_accepted():
    accepted = select(SCORES, ThresholdRule(threshold=0.5))
    assert accepted.nonzero()[0].tolist() == [2, 3, 4, 5]


def test_the_paper_s_threshold_is_the_default():
    assert choose_threshold(SCORES) == 0.5


@pytest.mark.parametrize("threshold", [-np.inf, -1.0, 0.0])
def test_no_threshold_accepts_a_missing_score(threshold):
    accepted = select(SCORES, ThresholdRule(threshold=threshold))
    assert accepted.tolist() == (~np.isnan(SCORES)).tolist()


@pytest.mark.parametrize(
    ("n_first", "expected", "lowest"),
    [
        (1, [2], 0.9),
        (2, [2, 3], 0.5),
        (3, [2, 3, 4], 0.5),
        (5, [0, 2, 3, 4, 5], 0.2),
        (6, [0, 2, 3, 4, 5, 7], 0.1),
        (99, [0, 2, 3, 4, 5, 7], 0.1),
    ],
)
def test_first_n_takes_the_earlier_of_equal_scores(n_first, expected, lowest):
    accepted = select(SCORES, ThresholdRule(FIRST_N, n_first=n_first))
    assert accepted.nonzero()[0].tolist() == expected
    assert choose_threshold(SCORES, ThresholdRule(FIRST_N, n_first=n_first)) == lowest


@pytest.mark.parametrize("scores", [np.array([]), np.array([NAN, NAN])])
def test_first_n_of_nothing(scores):
    assert choose_threshold(scores, ThresholdRule(FIRST_N, n_first=3)) == np.inf
    assert not select(scores, ThresholdRule(FIRST_N, n_first=3)).any()


@pytest.mark.parametrize("n_first", [None, 0, -5])
def test_first_n_needs_a_number(n_first):
    with pytest.raises(ValueError, match=r"n_first\): it must be (1 or more|given)"):
        ThresholdRule(FIRST_N, n_first=n_first)


def test_a_fixed_threshold_is_a_number():
    with pytest.raises(ValueError, match="received nan"):
        ThresholdRule(threshold=NAN)


@given(st.lists(st.sampled_from([0.0, 0.3, 0.6, NAN]), max_size=12), st.integers(1, 14))
def test_first_n_equals_sorting_pairs(scores, n_first):
    pairs = [(-score, row) for row, score in enumerate(scores) if score == score]
    expected = {row for _, row in sorted(pairs)[:n_first]}
    accepted = select(np.array(scores), ThresholdRule(FIRST_N, n_first=n_first))
    assert set(accepted.nonzero()[0]) == expected


def test_the_scores_are_left_alone():
    before = SCORES.copy()
    select(SCORES, ThresholdRule(FIRST_N, n_first=2))
    np.testing.assert_array_equal(SCORES, before)


def test_the_largest_expected_f_is_found_by_trying_all():
    probability = np.random.default_rng(0).beta(0.5, 0.5, 200)

    def expected_f(lowest, beta):
        accepted = probability >= lowest
        relevant = accepted.sum() + beta**2 * probability.sum()
        return (1 + beta**2) * probability[accepted].sum() / relevant

    for beta in (0.5, 1.0, 2.0):
        best = max(probability, key=lambda lowest: expected_f(lowest, beta))
        assert choose_threshold(probability, ThresholdRule(MAX_F, beta=beta)) == best


@pytest.mark.parametrize(
    ("least", "lowest"), [(0.95, 0.9), (0.7, 0.5), (0.6, 0.2), (0.0, 0.1)]
)
def test_at_least_this_precise(least, lowest):
    probability = np.array([0.2, NAN, 0.9, 0.5, 0.5, 0.1, 1.0])
    rule = ThresholdRule(MIN_PRECISION, min_precision=least)
    assert choose_threshold(probability, rule) == lowest
    accepted = select(probability, rule)
    assert accepted.tolist() == (probability >= lowest).tolist()


def test_no_candidate_is_precise_enough():
    rule = ThresholdRule(MIN_PRECISION, min_precision=0.9)
    assert not select(np.array([0.2, 0.3]), rule).any()


@pytest.mark.parametrize("mode", [MAX_F, MIN_PRECISION])
@pytest.mark.parametrize("scores", [np.array([]), np.array([NAN, NAN])])
def test_automatic_thresholds_of_nothing(scores, mode):
    assert choose_threshold(scores, ThresholdRule(mode, min_precision=0.5)) == np.inf


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": MAX_F, "beta": 0.0}, "it must be above 0, received 0"),
        ({"mode": MAX_F, "beta": np.inf}, "must be a finite number, received inf"),
        ({"mode": MIN_PRECISION}, "min_precision.*must be given"),
        ({"mode": MIN_PRECISION, "min_precision": 90}, "must be 0 to 1, received 90"),
    ],
)
def test_automatic_modes_check_their_options(options, message):
    with pytest.raises(ValueError, match=message):
        ThresholdRule(**options)


def test_other_scores_are_not_taken_for_probabilities():
    with pytest.raises(ValueError, match="between 0 and 1"):
        choose_threshold(np.array([3.0, -2.0]), AUTOMATIC)


def test_what_a_mode_does_not_need_is_not_looked_at():
    rule = ThresholdRule(beta=-1.0, n_first=0, min_precision=7.0)
    assert choose_threshold(SCORES, rule) == 0.5


def test_automatic_is_the_paper_s_where_scores_are_no_probabilities():
    scores = np.array([0.9, 0.8, 0.45, 0.1])
    assert AUTOMATIC.for_scores(are_probabilities=True) is AUTOMATIC
    of_networks = AUTOMATIC.for_scores(are_probabilities=False)
    assert of_networks == PUBLISHED
    assert choose_threshold(scores, AUTOMATIC) == 0.45
    assert select(scores, of_networks).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    "rule",
    [
        ThresholdRule(threshold=0.3),
        ThresholdRule(FIRST_N, n_first=2),
        ThresholdRule(MIN_PRECISION, min_precision=0.8),
    ],
)
def test_other_rules_are_the_same_for_all_scores(rule):
    assert rule.for_scores(are_probabilities=False) is rule

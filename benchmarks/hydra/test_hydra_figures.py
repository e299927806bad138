# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of box metrics at an IoU of 0.6, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.hydra.figures import (
    evaluate_boxes,
    match_boxes,
    mean_precision_interval,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

SIDE = 20.0


def coordinates(yx, scores=None):
    return ScoredCoordinates.from_arrays(yx, scores)


def test_a_quarter_of_the_box_along_a_side_is_the_limit_and_less_across():
    truth = {"a": coordinates([(50, 50)])}

    def is_found(y, x):
        picks = {"a": coordinates([(y, x)], [1.0])}
        return bool(match_boxes(picks, truth, side_px=SIDE).is_match[0])

    assert is_found(55, 50)
    assert not is_found(55.1, 50)
    assert is_found(52.6, 52.6)
    assert not is_found(52.8, 52.8)


def test_the_best_pick_of_a_particle_is_right_and_the_others_wrong():
    truth = {"a": coordinates([(50, 50), (150, 150)])}
    picks = {"a": coordinates([(50, 51), (52, 50), (300, 300)], [0.5, 0.9, 0.7])}
    matched = match_boxes(picks, truth, side_px=SIDE)

    assert matched.is_match.tolist() == [False, True, False]
    np.testing.assert_array_equal(matched.offsets_yx, [(2, 0)])


def test_a_pick_takes_the_nearest_that_is_free():
    truth = {"a": coordinates([(50, 50), (54, 50)])}
    picks = {"a": coordinates([(51, 50), (51.5, 50), (52, 50)], [3, 2, 1])}

    assert match_boxes(picks, truth, side_px=SIDE).is_match.tolist() == [True] * 2 + [
        False
    ]


def test_figures_by_hand():
    # right, wrong, right; one of three particles is never found.
    truth = {"a": coordinates([(50, 50), (150, 150)]), "b": coordinates([(9, 9)])}
    picks = {"a": coordinates([(50, 50), (99, 99), (150, 150)], [0.9, 0.8, 0.7])}
    found = evaluate_boxes([match_boxes(picks, truth, side_px=SIDE)])

    assert found.average_precision == pytest.approx((1 + 2 / 3) / 3)
    assert found.area_under_roc == pytest.approx(1 / 2 * 2 / 3)
    assert (found.n_picks, found.n_truth) == (3, 3)


def test_sets_are_pooled_by_score():
    truth = {"a": coordinates([(50, 50)])}
    good = match_boxes({"a": coordinates([(50, 50)], [0.4])}, truth, side_px=SIDE)
    bad = match_boxes({"a": coordinates([(90, 90)], [0.6])}, truth, side_px=SIDE)

    assert evaluate_boxes([good, bad]).average_precision == pytest.approx(0.5 / 2)


def test_nothing_right_and_nothing_wrong():
    truth = {"a": coordinates([(50, 50), (150, 150)])}

    def figures_of(*yx):
        picks = {"a": coordinates(yx, np.arange(len(yx)))}
        found = evaluate_boxes([match_boxes(picks, truth, side_px=SIDE)])
        return found.average_precision, found.area_under_roc

    assert figures_of() == (0.0, 0.0)
    assert figures_of((99, 99)) == (0.0, 0.0)
    assert figures_of((50, 50)) == (0.5, 0.5)
    assert figures_of((50, 50), (150, 150)) == (1.0, 1.0)


def test_intervals_hold_the_mean_and_differences_of_the_same_are_none():
    rng = np.random.default_rng(1)
    truth = {str(i): coordinates(rng.uniform(0, 500, (20, 2))) for i in range(6)}
    picks = {
        name: coordinates(true.yx + rng.normal(0, 4, (20, 2)), rng.random(20))
        for name, true in truth.items()
    }
    matched = match_boxes(picks, truth, side_px=SIDE)
    interval = mean_precision_interval([matched])
    difference = mean_precision_interval([matched], [matched])

    assert interval.low < evaluate_boxes([matched]).average_precision < interval.high
    assert (difference.low, difference.high) == (0.0, 0.0)


def test_a_box_has_a_side():
    with pytest.raises(ValueError, match="side_px must be > 0"):
        match_boxes({}, {}, side_px=0)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection figures on worked cases, and against slow loops over thresholds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from deepconsensus_plugin.core.metrics import (
    METRICS_SCHEMA,
    evaluate_detections,
    recall_of,
    summarise_matches,
)
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.types import ScoredCoordinates

RADIUS = 10.0


def coordinates(yx, scores=None):
    return ScoredCoordinates.from_arrays(yx, scores)


def crowded(seed, *, n_micrographs=4, size=200.0):
    """Return picks and truth that compete for each other, with tied scores."""
    rng = np.random.default_rng(seed)
    picks, truth = {}, {}
    for number in range(n_micrographs):
        yx = rng.uniform(0, size, (rng.integers(20, 60), 2))
        truth[f"{number}.mrc"] = coordinates(yx)
        seen = yx[rng.random(len(yx)) < 0.7]
        found = np.concatenate(
            [seen + rng.normal(0, 5, seen.shape), rng.uniform(0, size, (25, 2))]
        )
        picks[f"{number}.mrc"] = coordinates(found, rng.integers(0, 9, len(found)) / 8)
    return picks, truth


@pytest.fixture
def worked():
    """Two micrographs: 2 of 3 truths found by 4 picks, 1 of 1 found by 1."""
    truth = {
        "a": coordinates([[0, 0], [0, 100], [100, 0]]),
        "b": coordinates([[50, 50]]),
    }
    picks = {
        "a": coordinates(
            [[3, 4], [0, 100], [0, 109], [300, 300]], [0.9, 0.4, 0.2, 0.6]
        ),
        "b": coordinates([[50, 56]], [0.8]),
    }
    return picks, truth


def test_a_worked_case(worked):
    found = evaluate_detections(*worked, radius_px=RADIUS)
    assert (found.n_micrographs, found.n_truth) == (2, 4)
    assert (found.n_picks, found.n_accepted, found.n_matched) == (5, 5, 3)
    assert found.precision == pytest.approx(3 / 5)
    assert found.recall == pytest.approx(3 / 4)
    assert found.f1 == pytest.approx(6 / 9)
    assert found.mean_precision == pytest.approx((2 / 4 + 1) / 2)
    assert found.mean_recall == pytest.approx((2 / 3 + 1) / 2)
    assert found.mean_f1 == pytest.approx((4 / 7 + 1) / 2)
    # Ranked: match, match, false, match, false; one truth is never found.
    assert found.average_precision == pytest.approx((1 + 1 + 3 / 4) / 4)
    assert found.best_f1 == pytest.approx(6 / 8)
    assert found.best_f1_threshold == 0.4
    assert found.roc_auc == pytest.approx(5 / 6)
    assert math.isnan(found.mcc)
    assert found.centre_rmse_px == pytest.approx(math.sqrt((25 + 0 + 36) / 3))
    assert found.centre_shift_y_px == pytest.approx(1.0)
    assert found.centre_shift_x_px == pytest.approx(10 / 3)


def test_a_threshold_leaves_the_curve_alone(worked):
    every = evaluate_detections(*worked, radius_px=RADIUS)
    found = evaluate_detections(*worked, radius_px=RADIUS, threshold=0.6)
    assert (found.n_picks, found.n_accepted, found.n_matched) == (5, 3, 2)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 4)
    assert found.average_precision == every.average_precision
    assert found.best_f1 == every.best_f1
    # Of 3 matches 2 are accepted, of 2 other picks 1.
    assert found.mcc == pytest.approx((2 * 1 - 1 * 1) / math.sqrt(3 * 3 * 2 * 2))


def test_accepted_picks_are_matched_among_themselves():
    truth = {"a": coordinates([[0, 0]])}
    picks = {"a": coordinates([[0, 1], [0, 8]], [0.1, 0.9])}
    found = evaluate_detections(picks, truth, radius_px=RADIUS, threshold=0.5)
    assert (found.n_accepted, found.n_matched) == (1, 1)
    assert found.centre_rmse_px == pytest.approx(8)


def test_micrographs_without_truth_are_left_out_and_without_picks_missed(worked):
    picks, truth = worked
    picks = {**picks, "no truth": coordinates([[1, 1]], [0.7])}
    truth = {**truth, "no picks": coordinates([[1, 1], [90, 90]])}
    found = evaluate_detections(picks, truth, radius_px=RADIUS)
    assert (found.n_micrographs, found.n_truth, found.n_picks) == (3, 6, 5)
    assert found.recall == pytest.approx(3 / 6)
    assert found.mean_recall == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found.mean_precision == pytest.approx((2 / 4 + 1) / 2)


def test_an_empty_truth_makes_every_pick_false():
    found = evaluate_detections(
        {"a": coordinates([[1, 1]])}, {"a": coordinates([])}, radius_px=RADIUS
    )
    assert (found.precision, found.f1) == (0.0, 0.0)
    assert math.isnan(found.recall)


def test_missing_scores_are_no_score(worked):
    picks, truth = worked
    unscored = {name: coordinates(found.yx) for name, found in picks.items()}
    found = evaluate_detections(unscored, truth, radius_px=RADIUS)
    assert found.f1 == pytest.approx(6 / 9)
    assert math.isnan(found.average_precision)
    assert math.isnan(found.best_f1_threshold)
    found = evaluate_detections(unscored, truth, radius_px=RADIUS, threshold=0.0)
    assert (found.n_accepted, found.recall) == (0, 0.0)
    assert math.isnan(found.precision)


@pytest.mark.parametrize("truth", [{}, {"a": coordinates([])}])
def test_nothing_to_evaluate(truth):
    found = evaluate_detections({}, truth, radius_px=RADIUS)
    assert found.n_micrographs == len(truth)
    assert math.isnan(found.f1)
    assert math.isnan(found.mean_f1)


@pytest.mark.parametrize("seed", range(3))
def test_best_f1_and_ap_equal_matching_again_at_every_threshold(seed):
    picks, truth = crowded(seed)
    every = evaluate_detections(picks, truth, radius_px=RADIUS)
    thresholds = np.unique(np.concatenate([p.scores for p in picks.values()]))[::-1]
    again = [
        evaluate_detections(
            {name: p.take(p.scores >= value) for name, p in picks.items()},
            truth,
            radius_px=RADIUS,
        )
        for value in thresholds
    ]
    best = int(np.argmax([found.f1 for found in again]))
    assert every.best_f1 == pytest.approx(again[best].f1)
    assert every.best_f1_threshold == thresholds[best]
    steps = np.diff([0.0, *(found.recall for found in again)])
    expected = sum(s * found.precision for s, found in zip(steps, again, strict=True))
    assert every.average_precision == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_the_matched_pairs(seed):
    matched = match_picks(*crowded(seed), radius_px=RADIUS, threshold=0.5)
    both = matched.is_accepted & matched.is_match
    assert matched.count(both).sum() == len(matched.offsets_yx)
    assert summarise_matches(matched).n_matched == len(matched.offsets_yx)
    assert np.hypot(*matched.offsets_yx.T).max() <= RADIUS


def test_the_order_of_micrographs_and_picks_does_not_matter():
    picks, truth = crowded(7)
    shuffled = {
        name: picks[name].take(np.arange(len(picks[name]))[::-1])
        for name in reversed(picks)
    }
    first = evaluate_detections(picks, truth, radius_px=RADIUS, threshold=0.3)
    second = evaluate_detections(shuffled, truth, radius_px=RADIUS, threshold=0.3)
    assert second.to_dict() == pytest.approx(first.to_dict())


def test_a_shift_of_the_picks_is_the_centre_shift():
    _, truth = crowded(1)
    shift = np.array([2.0, -3.0])
    shifted = {name: coordinates(found.yx + shift) for name, found in truth.items()}
    found = evaluate_detections(shifted, truth, radius_px=4.0)
    assert found.recall == 1.0
    assert found.centre_shift_y_px == pytest.approx(2.0, abs=0.3)
    assert found.centre_shift_x_px == pytest.approx(-3.0, abs=0.3)


def test_figures_survive_json(worked):
    found = evaluate_detections(*worked, radius_px=RADIUS).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["schema"] == METRICS_SCHEMA
    assert found["mcc"] is None
    assert found["threshold"] is None
    assert found["n_matched"] == 3


def test_share_of_labels_kept(worked):
    picks, truth = worked
    assert recall_of(truth, picks, radius_px=RADIUS) == pytest.approx(3 / 4)
    assert recall_of(truth, {"b": picks["b"]}, radius_px=RADIUS) == pytest.approx(1 / 4)
    assert recall_of({"b": truth["b"]}, picks, radius_px=RADIUS) == 1.0
    assert math.isnan(recall_of({}, picks, radius_px=RADIUS))

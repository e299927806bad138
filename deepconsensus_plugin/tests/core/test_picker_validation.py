# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the validation of a picker with complete and incomplete labels."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pickers.trained.validation import (
    PickerValidation,
    validate_picks,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

RADIUS = 2.0
N_PARTICLES = 400
"""Of each of four micrographs."""


def detections(*, n_false=400, seed=0):
    """Return picks that find 90 % of the particles, and the particles, by name.

    Log-odds of particles are normal around 2, of others around -2: the probability
    that follows from Bayes is their logistic function, if there are as many of each.
    """
    rng = np.random.default_rng(seed)
    picks, truth = {}, {}
    for name in ("a", "b", "c", "d"):
        rows = np.arange(N_PARTICLES + n_false)
        yx = 10.0 * np.stack(np.divmod(rows, 40), axis=1)
        true, false = yx[:N_PARTICLES], yx[N_PARTICLES:]
        found = true[rng.random(N_PARTICLES) < 0.9]
        scores = [*rng.normal(2, 2, len(found)), *rng.normal(-2, 2, n_false)]
        positions = np.concatenate([found, false]) + rng.uniform(
            -1, 1, (len(scores), 2)
        )
        picks[name] = ScoredCoordinates.from_arrays(positions, scores)
        truth[name] = ScoredCoordinates.from_arrays(true)
    return picks, truth


def drawn(truth, fraction, *, seed=1):
    """Return labels drawn from all particles."""
    rng = np.random.default_rng(seed)
    return {
        name: each.take(rng.random(len(each)) < fraction)
        for name, each in truth.items()
    }


def hand_made():
    """Return a curve of precisions 1, 1, 0.75, 0.5 and recalls 0.25, 0.5, 0.75, 1."""
    curve = [[4, 1, 0.25], [3, 2, 0.5], [2, 4, 0.75], [1, 8, 1.0]]
    return PickerValidation(1, 4, 4.0, 0.8125, [[float(x) for x in y] for y in curve])


class TestLabels:
    def test_complete_ones_give_the_ordinary_figures(self):
        picks, truth = detections()
        validation = validate_picks(
            picks, truth, n_particles=4 * N_PARTICLES, radius_px=RADIUS
        )
        assert validation.n_micrographs == 4
        assert validation.n_labels == validation.n_particles == 4 * N_PARTICLES
        everywhere = evaluate_detections(picks, truth, radius_px=RADIUS)
        assert validation.average_precision == pytest.approx(
            everywhere.average_precision
        )
        rows = [0, 50, 120, len(validation.curve) - 1]
        for row in rows:
            threshold = validation.thresholds[row]
            expected = evaluate_detections(
                picks, truth, radius_px=RADIUS, threshold=threshold
            )
            assert validation.precision[row] == pytest.approx(expected.precision)
            assert validation.recall[row] == pytest.approx(expected.recall)
            assert validation.f1[row] == pytest.approx(expected.f1)

    @pytest.mark.parametrize("seed", range(3))
    def test_some_of_them_and_the_number_of_particles_give_them_about(self, seed):
        picks, truth = detections()
        labels = drawn(truth, 0.3, seed=seed)
        validation = validate_picks(
            picks, labels, n_particles=4 * N_PARTICLES, radius_px=RADIUS
        )
        everywhere = evaluate_detections(picks, truth, radius_px=RADIUS)
        # A share of 480 labels is known to 3 · √(¼ / 480), at most.
        assert validation.average_precision == pytest.approx(
            everywhere.average_precision, abs=0.07
        )
        expected = evaluate_detections(
            picks, truth, radius_px=RADIUS, threshold=validation.best_threshold
        )
        row = np.argmax(validation.f1)
        assert validation.precision[row] == pytest.approx(expected.precision, abs=0.07)
        assert validation.recall[row] == pytest.approx(expected.recall, abs=0.07)

    @pytest.mark.parametrize("seed", range(3))
    def test_number_of_particles_is_estimated_where_the_best_picks_are_pure(self, seed):
        picks, truth = detections()
        labels = drawn(truth, 0.3, seed=seed)
        validation = validate_picks(picks, labels, n_particles=None, radius_px=RADIUS)
        assert validation.n_particles == pytest.approx(4 * N_PARTICLES, rel=0.25)

    def test_there_are_never_fewer_particles_than_labels(self):
        picks, truth = detections()
        validation = validate_picks(picks, truth, n_particles=10, radius_px=RADIUS)
        assert validation.n_particles == 4 * N_PARTICLES

    @pytest.mark.parametrize("n_found", [0, 1, 3])
    def test_picks_that_find_hardly_any_are_bad_and_not_unknown(self, n_found):
        picks, truth = detections()
        labels = drawn(truth, 0.3)
        far = {
            name: ScoredCoordinates.from_arrays(each.yx + 5_000, each.scores)
            for name, each in picks.items()
        }
        found = ScoredCoordinates.from_arrays(labels["a"].yx[:n_found], [9.0] * n_found)
        validation = validate_picks(
            far | {"a": found}, labels, n_particles=None, radius_px=RADIUS
        )
        n_labels = sum(map(len, labels.values()))
        assert 0 <= validation.average_precision <= n_found / n_labels
        assert np.isfinite(validation.n_particles)
        assert np.isfinite(validation.precision).all()

    def test_without_them_nothing_is_told(self):
        picks, truth = detections()
        no_picks = dict.fromkeys(truth, ScoredCoordinates.from_arrays([]))
        for found, labels in ((picks, {}), (picks, no_picks), (no_picks, truth)):
            validation = validate_picks(
                found, labels, n_particles=None, radius_px=RADIUS
            )
            assert np.isnan(validation.average_precision)
            assert validation.best_threshold is None
            assert validation.threshold_for(0.5) is None
            probability = validation.probability(np.array([0.0, 1.0]))
            assert probability.shape == (2,)
            assert np.isnan(probability).all()


class TestThresholds:
    def test_best_f1_of_a_hand_made_curve(self):
        validation = hand_made()
        assert validation.precision.tolist() == [1, 1, 0.75, 0.5]
        np.testing.assert_allclose(validation.f1, [0.4, 2 / 3, 0.75, 2 / 3])
        assert validation.best_threshold == 2

    def test_lowest_threshold_of_a_precision(self):
        validation = hand_made()
        thresholds = {
            precision: validation.threshold_for(precision)
            for precision in (1, 0.8, 0.75, 0.5, 0.1)
        }
        assert thresholds == {1: 3, 0.8: 3, 0.75: 2, 0.5: 1, 0.1: 1}

    def test_precision_never_reached_has_none(self):
        halved = PickerValidation(1, 4, 2.0, 0.4, hand_made().curve)
        assert halved.threshold_for(0.8) is None
        assert halved.best_threshold is not None

    def test_curve_keeps_its_ends_and_stays_short(self):
        picks, truth = detections()
        validation = validate_picks(picks, truth, n_particles=None, radius_px=RADIUS)
        scores = np.concatenate([each.scores for each in picks.values()])
        assert len(validation.curve) == 200
        assert validation.thresholds[0] == scores.max()
        assert validation.thresholds[-1] == scores.min()
        assert (np.diff(validation.thresholds) < 0).all()
        assert (np.diff(validation.recall) >= 0).all()


def test_more_recall_counts_the_lower_the_best_threshold():
    curve = hand_made()

    assert (curve.best_threshold_of(0.1), curve.best_threshold) == (3, 2)
    assert curve.best_threshold_of(2.0) == 1
    assert curve.f_beta(2.0)[-1] == pytest.approx(5 * 0.5 / (4 * 0.5 + 1))


class TestProbability:
    def test_share_of_particles_among_picks_of_like_scores(self):
        # 1 of 1, 1 of 1, 1 of 2, 1 of 4 picks between thresholds.
        probability = hand_made().probability(np.array([9, 4, 3.5, 3, 2.5, 1.5, 1, 0]))
        assert probability.tolist() == [1, 1, 1, 1, 0.5, 0.25, 0.25, 0.25]

    def test_neighbours_in_the_wrong_order_are_pooled(self):
        curve = [[3.0, 2.0, 0.25], [2.0, 4.0, 0.75], [1.0, 8.0, 1.0]]
        validation = PickerValidation(1, 4, 4.0, 0.7, curve)
        # 1 of 2 above, then 2 of 2: together 3 of 4.
        assert validation.probability(np.array([3, 2, 1])).tolist() == [
            0.75,
            0.75,
            0.25,
        ]

    @pytest.mark.parametrize("fraction", [1.0, 0.3])
    def test_it_is_calibrated_and_never_falls(self, fraction):
        picks, truth = detections()
        validation = validate_picks(
            picks,
            drawn(truth, fraction),
            n_particles=4 * N_PARTICLES,
            radius_px=RADIUS,
        )
        others, their_truth = detections(seed=7)
        scores = np.concatenate([each.scores for each in others.values()])
        probability = validation.probability(scores)
        assert (np.diff(probability[np.argsort(scores)]) >= 0).all()
        for lowest in (-3, -1, 1, 3):
            among = {
                name: each.take((each.scores >= lowest) & (each.scores < lowest + 2))
                for name, each in others.items()
            }
            chosen = (scores >= lowest) & (scores < lowest + 2)
            precision = evaluate_detections(
                among, their_truth, radius_px=RADIUS
            ).precision
            assert probability[chosen].mean() == pytest.approx(precision, abs=0.08)

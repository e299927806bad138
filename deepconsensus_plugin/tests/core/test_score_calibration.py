# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the curve from the score of a pick to its probability."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from deepconsensus_plugin.core.pickers.populations.score_calibration import (
    ScoreCalibration,
)

SCORES = np.random.default_rng(1).normal(0, 3, 5000)


def halved(scores):
    """Return half of what a network would say."""
    return expit(scores) / 2


class TestCurve:
    def test_it_follows_the_probability(self):
        calibration = ScoreCalibration.fit(SCORES, halved)
        some = np.linspace(-5, 5, 50)
        np.testing.assert_allclose(
            calibration.probability(some), halved(some), atol=0.003
        )
        assert calibration.expected_precision(SCORES) == pytest.approx(
            halved(SCORES).mean(), abs=1e-3
        )

    def test_few_particles_are_not_lost_between_knots(self):
        """As the general HydraPicker finds small ones: one in a thousand peaks."""
        rng = np.random.default_rng(2)
        scores = np.append(rng.normal(-4, 1, 100000), rng.normal(2, 0.3, 100))

        def steep(some):
            return expit(20 * (some - 1))

        calibration = ScoreCalibration.fit(scores, steep)
        picked = scores[scores > 1]
        assert calibration.expected_precision(picked) == pytest.approx(
            steep(picked).mean(), abs=5e-3
        )
        assert len(calibration.knots) <= 200

    def test_beyond_what_was_found_it_stays(self):
        calibration = ScoreCalibration.fit(SCORES, halved)
        ends = halved(np.array([SCORES.min(), SCORES.max()]))
        np.testing.assert_allclose(calibration.probability(np.array([-99, 99])), ends)

    def test_equal_scores_have_one_probability(self):
        calibration = ScoreCalibration.fit(np.full(10, 2.0), halved)
        assert calibration.knots == [[2.0, halved(2.0)]]
        assert calibration.probability(np.array([1.0]))[0] == halved(2.0)

    @pytest.mark.parametrize("scores", [SCORES, np.zeros(0)])
    def test_unknown_is_what_the_network_says(self, scores):
        def unknown(some):
            return np.full(len(some), np.nan)

        calibration = ScoreCalibration.fit(scores, unknown)
        assert calibration == ScoreCalibration()
        np.testing.assert_allclose(calibration.probability(scores), expit(scores))
        assert np.isnan(calibration.expected_precision(scores))

    def test_no_picks_have_no_precision(self):
        calibration = ScoreCalibration.fit(SCORES, halved)
        assert np.isnan(calibration.expected_precision(np.zeros(0)))

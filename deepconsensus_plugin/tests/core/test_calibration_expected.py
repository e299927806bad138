# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected precision, recall and counts from probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.calibration.expected import (
    count_expected,
    count_expected_above,
)

PROBABILITY = np.array([0.5, 1.0, 0.5, 0.0])


def test_a_hand_worked_case():
    expected = count_expected(PROBABILITY)

    assert expected.thresholds.tolist() == [1.0, 0.5, 0.0]
    np.testing.assert_allclose(expected.precision, [1, 2 / 3, 1 / 2])
    np.testing.assert_allclose(expected.recall, [1 / 2, 1, 1])
    np.testing.assert_allclose(expected.f_beta(), [2 / 3, 4 / 5, 2 / 3])


def test_both_ways_of_counting_agree():
    ascending = np.array([0.0, 0.5, 1.0])
    above = count_expected_above(ascending, PROBABILITY, probability=PROBABILITY)
    expected = count_expected(PROBABILITY)

    np.testing.assert_allclose(above.precision, expected.precision[::-1])
    np.testing.assert_allclose(above.recall, expected.recall[::-1])


def test_weights_count_candidates_several_times():
    twice = count_expected_above(
        np.array([0.4]),
        PROBABILITY,
        probability=PROBABILITY,
        weights=np.array([2, 1, 0, 1]),
    )
    repeated = np.array([0.5, 0.5, 1.0, 0.0])
    once = count_expected_above(np.array([0.4]), repeated, probability=repeated)

    assert twice.precision == once.precision
    assert twice.recall == once.recall


def test_nothing_accepted_has_no_precision():
    above = count_expected_above(np.array([2.0]), PROBABILITY, probability=PROBABILITY)

    assert np.isnan(above.precision).all()
    assert above.recall == 0


def test_a_large_beta_takes_more():
    probability = np.linspace(0.01, 0.99, 99)
    expected = count_expected(probability)
    thresholds = [
        expected.thresholds[np.argmax(expected.f_beta(b))] for b in (0.5, 1, 2)
    ]

    assert thresholds == sorted(thresholds, reverse=True)
    assert len(set(thresholds)) == 3


@pytest.mark.parametrize("wrong", [[0.5, 1.2], [-0.1, 0.3]])
def test_log_odds_are_not_taken_for_probabilities(wrong):
    with pytest.raises(ValueError, match="probabilities between 0 and 1"):
        count_expected(np.array(wrong))

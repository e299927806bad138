# SPDX-License-Identifier: GPL-3.0-or-later
"""Number of particles: which of two estimates is followed, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.pickers.populations.score_calibration import (
    ScoreCalibration,
)
from deepconsensus_plugin.core.pipeline.particle_numbers import (
    NumberBasis,
    ParticleNumbers,
)


@pytest.mark.parametrize(
    ("by_scores", "by_count", "in_excess", "basis", "number"),
    [
        (100, 121, 0, NumberBasis.SCORES, 110),
        (100, 121, 200, NumberBasis.SCORES, 110),
        (100, None, 0, NumberBasis.SCORES, 100),
        (None, 100, 0, NumberBasis.COUNT, 100),
        (100, 400, 50, NumberBasis.BETWEEN, 200),
        (100, 400, 150, NumberBasis.COUNT, 400),
        (400, 100, 150, NumberBasis.SCORES, 400),
        (100, 400, 500, NumberBasis.BETWEEN, 200),
        (None, None, 50, NumberBasis.UNKNOWN, None),
        (100, 0, 0, NumberBasis.SCORES, 0),
    ],
)
def test_estimate_that_the_excess_contradicts_is_not_followed(
    by_scores, by_count, in_excess, basis, number
):
    numbers = ParticleNumbers(by_scores, by_count, in_excess)

    assert numbers.basis is basis
    assert numbers.number == (None if number is None else pytest.approx(number))


def test_disagreement_is_told_from_half_on():
    assert not ParticleNumbers(100, 149).differ
    assert ParticleNumbers(100, 151).differ
    assert ParticleNumbers(151, 100).differ
    assert not ParticleNumbers(100, None).differ


def test_sentence_names_both_estimates():
    agreed = ParticleNumbers(100, 121).describe()
    assert agreed == (
        "About 110 particles: by the model's scores 100, by pickers without training "
        "121."
    )
    assert ParticleNumbers(None, 7).describe() == (
        "About 7 particles: by pickers without training 7."
    )
    differing = ParticleNumbers(100, 400).describe()
    assert differing.startswith("WARNING: About 200 particles")
    assert "differ by more than half" in differing
    assert "unknown" in ParticleNumbers(None, None).describe()


def test_recall_is_that_of_all_particles():
    calibration = ScoreCalibration([[0.0, 0.0], [1.0, 1.0]])
    found = np.array([1.0, 1.0, 0.5, 0.5, 0.0])
    picked = found[:2]

    assert calibration.expected_recall(picked, found) == pytest.approx(2 / 3)
    assert calibration.expected_recall(picked, found, 4.0) == pytest.approx(0.5)
    assert calibration.expected_recall(found, found, 1.0) == 1
    assert np.isnan(ScoreCalibration().expected_recall(picked, found))
    assert np.isnan(calibration.expected_recall(picked, np.zeros(0)))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on claims, and the images of the cases without particles."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft

from benchmarks.honesty.claims import Claim
from benchmarks.honesty.images import inverted, with_random_phases
from deepconsensus_plugin.core.calibration.report import EstimatedFigure


def claim(expected: float | None, true: float, n: int = 10) -> Claim:
    figure = None if expected is None else EstimatedFigure(expected, np.nan, np.nan)
    return Claim(n, figure, "" if figure else "why", true)


@pytest.mark.parametrize(
    ("told", "is_ample", "verdict"),
    [
        (claim(0.94, 0.0), False, "wrong by +0.94"),
        (claim(0.90, 0.94), True, "right"),
        (claim(0.80, 0.94), True, "wrong by -0.14"),
        (claim(None, 0.0), False, "right"),
        (claim(None, 0.9), True, "withheld, evidence is ample"),
        (claim(0.9, np.nan, n=0), False, "right"),
    ],
)
def test_a_claim_is_held_against_the_truth(told, is_ample, verdict):
    assert told.verdict(is_ample=is_ample) == verdict


def test_random_phases_keep_the_spectrum_and_nothing_else():
    rng = np.random.default_rng(0)
    image = rng.random((64, 48), dtype=np.float32)
    image[20:30, 10:20] -= 2
    made = with_random_phases(image, rng)
    before, after = (np.abs(scipy.fft.rfft2(each)) for each in (image, made))
    inner = np.s_[1:-1, 1:-1]  # the ends of the axes of a real image are real
    np.testing.assert_allclose(after[inner], before[inner], rtol=1e-3)
    assert abs(np.corrcoef(image.ravel(), made.ravel())[0, 1]) < 0.2
    assert inverted(image, rng).mean() == pytest.approx(image.mean(), rel=1e-4)

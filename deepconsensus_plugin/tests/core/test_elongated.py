# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickers without training find long particles better where they are told the width."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.declared import ForbiddenValueError
from deepconsensus_plugin.core.pickers.classical.gaussian import score_by_gaussians
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.working_image import WorkingImage

SIDE, LONGEST, SHORTEST = 160, 40.0, 10.0


def rod(angle_deg):
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    angle = np.radians(angle_deg)
    along, across = y * np.sin(angle) + x * np.cos(angle), x * np.sin(angle)
    across -= y * np.cos(angle)
    return (2 * along / LONGEST) ** 2 + (2 * across / SHORTEST) ** 2 <= 1


def best_score(angle_deg, *, elongation, diameter_px):
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    image = (noise + rod(angle_deg)).astype(np.float32)
    usable = np.ones(image.shape, bool)
    working = WorkingImage(image, usable, diameter_px, 1, (0, 0))
    scores = score_by_gaussians(working, elongation=elongation)
    return scores[SIDE // 2 - 3 : SIDE // 2 + 4, SIDE // 2 - 3 : SIDE // 2 + 4].max()


@pytest.mark.parametrize("angle", [0, 31, 90, 135])
def test_a_rod_stands_out_more_if_its_width_is_known(angle):
    mean = np.sqrt(LONGEST * SHORTEST)
    told = best_score(angle, elongation=LONGEST / SHORTEST, diameter_px=mean)
    assert told > 1.05 * best_score(angle, elongation=1.0, diameter_px=LONGEST)
    assert told > 1.05 * best_score(angle, elongation=1.0, diameter_px=mean)


def test_one_diameter_is_a_round_particle():
    round_one = PickParameters(100.0)
    assert (round_one.elongation, round_one.mean_diameter_A) == (1.0, 100.0)
    long_one = PickParameters(200.0, shortest_diameter_A=50.0)
    assert (long_one.elongation, long_one.mean_diameter_A) == (4.0, 100.0)


def test_the_shortest_diameter_is_not_the_longer_one():
    with pytest.raises(ForbiddenValueError, match="must not be above"):
        PickParameters(50.0, PickMethod.GAUSSIANS, shortest_diameter_A=60.0)

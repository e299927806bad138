# SPDX-License-Identifier: GPL-3.0-or-later
"""The lattice that never saw an image."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.metrics.lattice import (
    blind_lattice,
    evaluate_blind_lattice,
)
from deepconsensus_plugin.core.types import ScoredCoordinates


def test_a_rectangular_micrograph():
    yx = blind_lattice((100, 160), box_size=20, spacing_px=40)
    rows, columns = [10, 50, 90], [10, 50, 90, 130]
    assert yx.tolist() == [[y, x] for y in rows for x in columns]


def test_boxes_are_inside_at_the_default_spacing():
    yx = blind_lattice((2048, 1024), box_size=90)
    assert yx.min() == 45
    assert (yx <= np.array([2048, 1024]) - 45).all()
    assert np.diff(np.unique(yx[:, 0])) == pytest.approx(0.63 * 90)


def test_a_micrograph_smaller_than_the_box_has_no_points():
    assert blind_lattice((50, 500), box_size=90).shape == (0, 2)


@pytest.mark.parametrize("options", [{"spacing_px": 0}, {"box_size": -1}])
def test_bad_options_are_refused(options):
    with pytest.raises(ValueError, match="spacing_px and box_size > 0"):
        blind_lattice((100, 100), **{"box_size": 10, **options})


def test_chance_decides_on_random_truth():
    # Each of the few truths has a point within the radius with this probability,
    # pi r^2 / spacing^2, since discs do not overlap at spacing >= 2 r.
    rng = np.random.default_rng(0)
    truth = {
        f"{number}": ScoredCoordinates.from_arrays(rng.uniform(100, 1900, (60, 2)))
        for number in range(30)
    }
    found = evaluate_blind_lattice(
        truth,
        dict.fromkeys(truth, (2000, 2000)),
        box_size=80,
        radius_px=20,
        spacing_px=50,
    )
    assert found.recall == pytest.approx(np.pi * 20**2 / 50**2, abs=0.03)
    assert found.n_picks == 30 * 39**2

# SPDX-License-Identifier: GPL-3.0-or-later
"""Agreement over the consensus radius, and where it levels off."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.consensus.radius import AgreementCurve, RadiusStudy
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


def picks(name: str, **yx_by_micrograph) -> PickerPicks:
    known = {m: ScoredCoordinates.from_arrays(yx) for m, yx in yx_by_micrograph.items()}
    return PickerPicks(name, 100, known)


def a_pair(distances_px) -> list[PickerPicks]:
    """Return two pickers whose picks of each particle are so far apart."""
    y = 200.0 * np.arange(1, len(distances_px) + 1)
    x = np.full(len(y), 100.0)
    one = np.stack([y, x], axis=1)
    other = np.stack([y, x + distances_px], axis=1)
    return [picks("one", m=one), picks("two", m=other)]


def a_curve(pickers) -> AgreementCurve:
    return RadiusStudy.of_some(pickers, box_size=100, merge_radius=0.3).curve()


def test_agreement_is_counted_once_for_each_confirmation():
    curve = AgreementCurve([0.1, 0.2], [[5, 2, 1], [1, 2, 2]])
    assert curve.at_least.tolist() == [[8, 3, 1], [5, 4, 2]]
    assert curve.shares.tolist() == [4 / 6, 1]
    assert curve.share_at(0.1) == pytest.approx(4 / 6)
    assert curve.share_at(0.05) == pytest.approx(2 / 6)  # between it and nothing
    assert curve.share_at(0.5) == 1


def test_the_plateau_is_where_the_picks_of_particles_have_met():
    # One in twenty is farther apart than 0.155 of the box.
    near, far = np.linspace(1, 15.5, 95), np.full(5, 28)
    curve = a_curve(a_pair([*near, *far]))
    assert curve.plateau == pytest.approx(0.16, abs=0.011)
    assert curve.share_at(0.1) == pytest.approx(0.6, abs=0.05)
    assert curve.share_at(curve.plateau) >= 0.95


def test_the_plateau_does_not_move_with_the_density_of_single_picks():
    together = a_pair(np.linspace(1, 14, 60))
    alone = picks("one", m=together[0].coordinates["m"].yx, n=[(50, 50)])
    assert a_curve(together).plateau == a_curve([alone, together[1]]).plateau


def test_without_any_agreement_there_is_no_plateau():
    curve = a_curve(a_pair([60, 70]))
    assert curve.plateau is None
    assert np.isnan(curve.share_at(0.1))


def test_whole_micrographs_spread_over_all_are_looked_at():
    rng = np.random.default_rng(0)
    pickers = [
        picks(name, **{f"m{i:02d}": rng.uniform(0, 1000, (50, 2)) for i in range(20)})
        for name in ("one", "two")
    ]
    study = RadiusStudy.of_some(pickers, box_size=100, merge_radius=0.3, n_picks=500)
    assert study.micrographs == ("m00", "m05", "m10", "m14", "m19")
    assert study.n_micrographs == 20
    assert sum(map(len, study.pickers)) == 500
    few = RadiusStudy.of_some(pickers, box_size=100, merge_radius=0.3, n_picks=1)
    assert len(few.micrographs) == 1

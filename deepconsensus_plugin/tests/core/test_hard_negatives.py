# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the choice of hard negatives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from deepconsensus_plugin.core.negatives.hard import (
    NegativeKind,
    allocate_quota,
    contaminated_places,
    outlying_singles,
    worst_agreed,
)
from deepconsensus_plugin.core.negatives.sorting import FEATURES


def test_the_worst_one_percent_worst_first():
    zscores = np.random.default_rng(0).permutation(np.arange(300.0))
    worst = worst_agreed(zscores)
    assert_array_equal(zscores[worst], [299, 298, 297])
    assert len(worst_agreed(zscores[:40])) == 0
    assert len(worst_agreed(np.empty(0))) == 0
    assert len(worst_agreed(zscores, fraction=1.0)) == 300
    with pytest.raises(ValueError, match="fraction"):
        worst_agreed(zscores, fraction=1.5)


def test_singles_beyond_nearly_all_agreed_ones():
    agreed = np.linspace(0, 1, 101)
    singles = np.array([0.5, 0.98, 3.0, 0.995, 7.0])
    assert_array_equal(outlying_singles(singles, agreed), [4, 2, 3])
    assert len(outlying_singles(singles, np.empty(0))) == 0
    assert len(outlying_singles(np.empty(0), agreed)) == 0


def rows(n, *, seed=0, **shifts):
    """Features of n boxes, standard normal, with columns shifted by name."""
    features = np.random.default_rng(seed).normal(0, 1, (n, len(FEATURES)))
    for name, shift in shifts.items():
        features[:, FEATURES.index(name.replace("_", " "))] += shift
    return features


def test_contamination_is_unlike_particles_and_unlike_most_places():
    agreed = rows(300)
    empty = rows(300, seed=1, mean=9.0)  # plain background, brighter than particles
    carbon = rows(10, seed=2, mean=-20.0)
    padding = rows(5, seed=3, mean=9.0, log_deviation=-30.0)
    places = np.concatenate([empty, carbon, padding])
    found = contaminated_places(places, agreed)
    assert set(found) == set(range(300, 315))
    assert set(found[:5]) == set(range(310, 315))  # the farthest first


def test_other_features_do_not_make_contamination():
    places = np.concatenate([rows(200), rows(5, seed=1, skewness=50.0)])
    assert len(contaminated_places(places, rows(200, seed=2))) == 0


def test_nothing_to_compare_nothing_found():
    assert len(contaminated_places(rows(0), rows(9))) == 0
    assert len(contaminated_places(rows(9), rows(0))) == 0


A, B, C = (
    NegativeKind.SORTED_OUT,
    NegativeKind.SINGLE_PICKER,
    NegativeKind.CONTAMINATION,
)


def test_even_shares_and_the_rest_goes_to_who_has_more():
    assert allocate_quota({A: 100, B: 100, C: 100}, 10) == {A: 4, B: 3, C: 3}
    assert allocate_quota({A: 1, B: 100, C: 0}, 10) == {A: 1, B: 9, C: 0}
    assert allocate_quota({A: 1, B: 2, C: 3}, 100) == {A: 1, B: 2, C: 3}
    assert allocate_quota({}, 5) == {}


@given(
    st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 50)), st.integers(0, 120)
)
def test_shares_fit(available, n_total):
    shares = allocate_quota(available, n_total)
    assert sum(shares.values()) == min(n_total, sum(available.values()))
    assert all(shares[kind] <= available[kind] for kind in available)
    full = [kind for kind in available if shares[kind] == available[kind]]
    others = [n for kind, n in shares.items() if kind not in full]
    assert not others or max(others) - min(others) <= 1

# SPDX-License-Identifier: GPL-3.0-or-later
"""Agreement between pickers counted by hand, and the reliability of simulated ones."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.calibration import reliability
from deepconsensus_plugin.core.calibration.reliability import estimate_reliability
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.agreement import (
    compare_pickers,
    count_combinations,
)


def table(found: list[list[int]], *, observed: list[list[int]], on: list[int]):
    """Return candidates that these pickers found on these micrographs."""
    votes = np.array(found, dtype=bool)
    n, k = votes.shape
    return Candidates(
        micrographs=tuple(f"m{i}" for i in range(len(observed))),
        pickers=tuple("abcdef"[:k]),
        observed=np.array(observed, dtype=bool),
        micrograph_index=np.array(on),
        yx=np.zeros((n, 2)),
        found=votes,
        picker_scores=np.full((n, k), np.nan),
        agreement=votes.sum(axis=1),
        agreed_yx=np.zeros((n, 2)),
    )


HAND = table(
    [[1, 1, 0], [1, 0, 0], [0, 1, 1], [1, 1, 0], [1, 0, 0]],
    observed=[[1, 1, 1], [1, 1, 0], [1, 0, 0]],
    on=[0, 0, 0, 1, 2],
)


def test_shares_are_of_what_both_pickers_looked_at():
    compared = compare_pickers(HAND)
    assert compared.n_shared.tolist() == [[4, 2, 0], [2, 3, 1], [0, 1, 1]]
    # Of a's four, b was run where three lie; c where two of those do.
    np.testing.assert_allclose(
        compared.share, [[1, 2 / 3, 0], [2 / 3, 1, 1 / 2], [0, 1, 1]]
    )


def test_a_picker_that_never_met_another_has_no_share():
    apart = table([[1, 0], [0, 1]], observed=[[1, 0], [0, 1]], on=[0, 1])
    share = compare_pickers(apart).share
    assert np.isnan(share[0, 1]) and np.isnan(share[1, 0])


def test_combinations_are_exact_and_the_largest_first():
    combinations = count_combinations(HAND, np.array([0.9, 0.2, 0.5, 0.8, np.nan]))
    assert combinations.members.tolist() == [
        [True, False, False],
        [True, True, False],
        [False, True, True],
    ]
    assert combinations.n_candidates.tolist() == [2, 2, 1]
    np.testing.assert_allclose(combinations.n_particles, [0.2, 1.7, 0.5])
    assert np.isnan(count_combinations(HAND).n_particles).all()
    assert len(count_combinations(HAND.take(np.zeros(5, bool)))) == 0


def made_up(rng: np.random.Generator, *, n_per: int, n_micrographs: int) -> Candidates:
    """Return the votes of three pickers: two good, one whose picks are mostly wrong."""
    n = n_per * n_micrographs
    is_particle = rng.random(n) < 0.6
    hit, false = np.array([0.9, 0.8, 0.5]), np.array([0.1, 0.15, 0.6])
    found = rng.random((n, 3)) < np.where(is_particle[:, None], hit, false)
    on = np.repeat(np.arange(n_micrographs), n_per)
    seen = found.any(axis=1)
    observed = [[1, 1, 1]] * n_micrographs
    return table(found[seen].tolist(), observed=observed, on=on[seen].tolist())


def test_votes_alone_tell_the_bad_picker():
    candidates = made_up(np.random.default_rng(0), n_per=300, n_micrographs=5)
    report = estimate_reliability(candidates, {}, n_resamples=5)
    a, b, c = report.pickers
    assert c.precision.high < min(a.precision.low, b.precision.low)
    assert a.recall.value > c.recall.value
    assert report.n_candidates == len(candidates)


def test_of_large_sets_some_micrographs_are_enough(monkeypatch):
    monkeypatch.setattr(reliability, "ENOUGH_CANDIDATES", 150)
    candidates = made_up(np.random.default_rng(1), n_per=100, n_micrographs=6)
    report = estimate_reliability(candidates, {}, n_resamples=0)
    counts = np.bincount(candidates.micrograph_index)
    assert report.n_candidates == pytest.approx(2 * counts.mean(), rel=0.2)
    assert np.isnan(report.pickers[0].precision.low)
    again = estimate_reliability(candidates, {}, n_resamples=0)
    assert again.pickers[0].precision.value == report.pickers[0].precision.value

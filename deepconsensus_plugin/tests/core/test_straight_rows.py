# SPDX-License-Identifier: GPL-3.0-or-later
"""Straight rows of picks: found on filaments, not among particles."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.consensus.straight_rows import find_straight_rows
from deepconsensus_plugin.core.pipeline.peak_choice import choose_peaks
from deepconsensus_plugin.core.types import ScoredCoordinates


def row(n, *, start=(100.0, 100.0), angle=0.4, step=20.0, bend=0.0):
    angles = angle + bend * np.arange(n)
    steps = step * np.column_stack([np.sin(angles), np.cos(angles)])
    return np.array(start) + np.cumsum(steps, axis=0)


def test_a_row_is_found_from_end_to_end_among_others():
    rng = np.random.default_rng(0)
    filament = row(12) + rng.normal(scale=1, size=(12, 2))
    others = np.array([[400.0, 400.0], [450.0, 380.0], [50.0, 400.0]])
    found = find_straight_rows(np.vstack([others, filament]), diameter_px=20)
    assert found.tolist() == [False] * 3 + [True] * 12


def test_a_row_that_bends_a_little_is_one_and_a_ring_is_none():
    assert find_straight_rows(row(15, bend=0.1), diameter_px=20).all()
    assert not find_straight_rows(row(9, bend=0.7), diameter_px=20).any()


def test_four_in_a_row_are_chance():
    assert not find_straight_rows(row(4), diameter_px=20).any()


def test_lattices_and_random_picks_hold_no_rows():
    lattice = 20.0 * np.stack(np.meshgrid(range(9), range(9)), axis=-1).reshape(-1, 2)
    assert not find_straight_rows(lattice, diameter_px=20).any()
    shares = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        kept = np.empty((0, 2))
        for place in rng.uniform(0, 1000, (600, 2)):
            if not len(kept) or np.hypot(*(kept - place).T).min() > 20:
                kept = np.vstack([kept, place])
        shares.append(find_straight_rows(kept, diameter_px=20).mean())
    assert np.mean(shares) < 0.02


def test_rows_are_counted_and_left_out_on_request():
    yx = np.vstack([row(8), [[400.0, 400.0]]])
    peaks = {"a": ScoredCoordinates.from_arrays(yx, np.ones(9)), "b": _none()}
    for leaves_out, n_kept in ((False, 9), (True, 1)):
        picks, n_in_rows = choose_peaks(
            peaks,
            threshold=0.5,
            upper_threshold=None,
            spacing_px=20,
            leave_out_rows=leaves_out,
        )
        assert (len(picks["a"]), len(picks["b"]), n_in_rows) == (n_kept, 0, 8)


def _none():
    return ScoredCoordinates.from_arrays([])


def test_no_picks_and_a_wrong_diameter():
    assert not len(find_straight_rows(np.empty((0, 2)), diameter_px=20))
    assert not find_straight_rows(np.array([[1.0, 1.0]]), diameter_px=20).any()
    with pytest.raises(ValueError, match="diameter_px"):
        find_straight_rows(row(9), diameter_px=0)

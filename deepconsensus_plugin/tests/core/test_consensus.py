# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the consensus: hand-worked cases, invariances, a slow obvious version."""

from __future__ import annotations

import logging
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import (
    choose_min_pickers,
    find_consensus,
    pick_table,
    subtract_picks,
)
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


def picks_of(name, micrographs):
    """Make picks of ``{micrograph: [(y, x) or (y, x, score), ...]}``."""
    coordinates = {}
    for micrograph, rows in micrographs.items():
        scores = [row[2] if len(row) > 2 else np.nan for row in rows]
        yx = [row[:2] for row in rows]
        coordinates[micrograph] = ScoredCoordinates.from_arrays(yx, scores)
    return PickerPicks(name, 100.0, coordinates)


def consensus_of(*pickers, consensus=10.0, merge=30.0):
    return find_consensus(pickers, consensus_radius_px=consensus, merge_radius_px=merge)


# --- hand-worked cases ---------------------------------------------------------------


def test_two_pickers_agree_and_their_mean_is_taken():
    found = consensus_of(
        picks_of("b", {"m": [(100, 104, 0.5)]}), picks_of("a", {"m": [(100, 100, 7)]})
    )
    assert found.pickers == ("a", "b")
    assert_array_equal(found.yx, [[100, 102]])
    assert_array_equal(found.agreed_yx, [[100, 102]])
    assert_array_equal(found.agreement, [2])
    assert_array_equal(found.picker_scores, [[7, 0.5]])


def test_merged_but_not_agreed_between_the_two_radii():
    found = consensus_of(
        picks_of("a", {"m": [(0, 0)]}), picks_of("b", {"m": [(0, 20)]})
    )
    assert_array_equal(found.yx, [[0, 10]])
    assert_array_equal(found.votes, [2])
    assert_array_equal(found.agreement, [1])


@pytest.mark.parametrize(
    ("distance", "agreement", "rows"),
    [(10, 2, 1), (10.01, 1, 1), (30, 1, 1), (30.01, 1, 2)],
)
def test_both_radii_include_their_rim(distance, agreement, rows):
    found = consensus_of(
        picks_of("a", {"m": [(0, 0)]}), picks_of("b", {"m": [(0, distance)]})
    )
    assert len(found) == rows
    assert found.agreement.max() == agreement


def test_a_picker_votes_once_and_the_closest_pair_goes_first():
    found = consensus_of(
        picks_of("a", {"m": [(0, 0), (0, 12)]}),
        picks_of("b", {"m": [(0, 8)]}),
        merge=11.0,
    )
    # (0, 0) is within the merge radius of (0, 10): the same particle, no more votes.
    assert_array_equal(found.agreed(2)["m"].yx, [[0, 10]])
    assert_array_equal(found.yx, [[0, 10]])
    assert_array_equal(found.votes, [2])


def test_a_chain_does_not_join_when_the_centre_moves_out_of_reach():
    found = consensus_of(
        picks_of("a", {"m": [(0, 0)]}),
        picks_of("b", {"m": [(0, 9)]}),
        picks_of("c", {"m": [(0, 19)]}),
        merge=12.0,
    )
    # a-b is closer than b-c; their centre, 4.5, is 14.5 from c.
    assert_array_equal(found.yx, [[0, 4.5], [0, 19]])
    assert_array_equal(found.agreement, [2, 1])


def test_agreed_position_leaves_out_the_pick_that_was_only_merged():
    found = consensus_of(
        picks_of("a", {"m": [(0, 0)]}),
        picks_of("b", {"m": [(0, 4)]}),
        picks_of("c", {"m": [(0, 26)]}),
    )
    assert_array_equal(found.votes, [3])
    assert_array_equal(found.agreement, [2])
    assert_array_equal(found.agreed_yx, [[0, 2]])
    assert_array_equal(found.yx, [[0, 10]])


def test_absorbed_candidate_adds_votes_and_scores_but_not_its_position():
    found = consensus_of(
        picks_of("a", {"m": [(0, -4, 0.1)]}),
        picks_of("b", {"m": [(0, -8, 0.2), (0, 22, 0.9)]}),
        picks_of("c", {"m": [(0, 15, 0.3)]}),
        merge=29.0,
    )
    # a-b and b-c cannot merge (both have a pick of b); a-b is the tighter.
    assert_array_equal(found.yx, [[0, -6]])
    assert_array_equal(found.found, [[True, True, True]])
    assert_array_equal(found.picker_scores, [[0.1, 0.9, 0.3]])
    assert_array_equal(found.agreement, [2])
    assert_array_equal(found.agreed_yx, [[0, -6]])


def test_more_votes_beat_a_tighter_pair():
    found = consensus_of(
        picks_of("a", {"m": [(0, -4)]}),
        picks_of("b", {"m": [(0, -8), (0, 22)]}),
        picks_of("c", {"m": [(0, 15)]}),
        picks_of("d", {"m": [(0, 16)]}),
        merge=29.0,
    )
    assert_allclose(found.yx, [[0, 53 / 3]])
    assert_array_equal(found.votes, [4])
    assert_array_equal(found.agreement, [3])


def test_own_duplicates_go_and_are_logged(caplog):
    picker = picks_of("a", {"m": [(0, 0, 0.2), (0, 30, 0.9), (0, 60, np.nan)]})
    with caplog.at_level(logging.INFO):
        found = consensus_of(picker)
    assert_array_equal(found.yx, [[0, 30]])
    assert_array_equal(found.picker_scores, [[0.9]])
    assert "dropped 2" in caplog.text


def test_not_run_is_not_found_nothing():
    found = consensus_of(
        picks_of("a", {"m1": [(0, 0)], "m2": [(0, 0)]}),
        picks_of("b", {"m1": [], "m3": []}),
    )
    assert found.micrographs == ("m1", "m2", "m3")
    assert_array_equal(found.observed, [[True, True], [True, False], [False, True]])
    assert_array_equal(found.n_observers, [2, 1])


def test_rows_by_micrograph_then_y_then_x():
    rows = [(5, 900), (5, 100), (900, 5)]
    found = consensus_of(picks_of("a", {"m2": rows, "m1": rows}))
    assert_array_equal(found.micrograph_index, [0, 0, 0, 1, 1, 1])
    assert_array_equal(found.yx[:3], [(5, 100), (5, 900), (900, 5)])


def test_no_picks_and_no_micrographs():
    assert len(consensus_of(picks_of("a", {}))) == 0
    empty = consensus_of(picks_of("a", {"m": []}), picks_of("b", {"m": []}))
    assert len(empty) == 0
    assert empty.micrographs == ("m",)
    assert empty.agreed(2)["m"].yx.shape == (0, 2)


def test_what_does_not_fit_is_refused():
    one = picks_of("a", {"m": [(0, 0)]})
    with pytest.raises(ValueError, match="different names"):
        consensus_of(one, one)
    with pytest.raises(ValueError, match="at least one picker"):
        consensus_of()
    for radii in ((0, 1), (2, 1), (np.nan, 1), (1, np.inf)):
        with pytest.raises(ValueError, match="consensus_radius_px"):
            consensus_of(one, consensus=radii[0], merge=radii[1])


# --- the slow obvious version --------------------------------------------------------


def slow_consensus(pickers, consensus, merge):
    """Follow the module's description word by word, with exact fractions."""
    pickers = sorted(pickers, key=lambda p: p.picker)
    rows = []
    for micrograph in sorted(set().union(*(p.coordinates for p in pickers))):
        picks = []
        for k, picker in enumerate(pickers):
            own = picker.coordinates.get(micrograph)
            if own is not None:
                picks += [
                    (int(y), int(x), k, s)
                    for (y, x), s in zip(own.yx, own.scores, strict=True)
                ]
        picks = slow_without_duplicates(picks, merge)
        agreed = slow_groups([[p] for p in sorted(picks)], consensus)
        merged = slow_groups(agreed, merge)
        rows += sorted((micrograph, *row) for row in slow_rows(merged, agreed, merge))
    return rows


def slow_without_duplicates(picks, radius):
    kept = []
    for pick in sorted(picks, key=lambda p: (np.isnan(p[3]), -np.nan_to_num(p[3]), p)):
        own = [other for other in kept if other[2] == pick[2]]
        if all(slow_gap([pick], [other]) > radius**2 for other in own):
            kept.append(pick)
    return kept


def slow_centre(group):
    return tuple(Fraction(sum(p[i] for p in group), len(group)) for i in (0, 1))


def slow_gap(a, b):
    (ya, xa), (yb, xb) = slow_centre(a), slow_centre(b)
    return (ya - yb) ** 2 + (xa - xb) ** 2


def slow_scatter(group):
    return sum(slow_gap([p], group) for p in group)


def slow_groups(groups, radius):
    """Join groups, closest pair first; `groups` come by their first pick."""
    home = list(range(len(groups)))
    joint = {i: list(group) for i, group in enumerate(groups)}
    pairs = sorted(
        (slow_gap(groups[i], groups[j]), i, j)
        for i, j in combinations(range(len(groups)), 2)
        if slow_gap(groups[i], groups[j]) <= radius**2
    )
    for _, i, j in pairs:
        a, b = sorted((home[i], home[j]))
        if {p[2] for p in joint[a]} & {p[2] for p in joint[b]}:
            continue
        if slow_gap(joint[a], joint[b]) <= radius**2:
            joint[a] += joint.pop(b)
            home = [a if h == b else h for h in home]
    return [sorted(joint[i]) for i in sorted(joint)]


def slow_rows(merged, agreed, radius):
    order = sorted(merged, key=lambda g: (-len(g), slow_scatter(g), g))
    taken = []
    for group in order:
        for strong, votes in taken:
            if slow_gap(group, strong) <= radius**2:
                votes += group
                break
        else:
            taken.append((group, list(group)))
    for strong, votes in taken:
        own = [g for g in agreed if set(g) <= set(strong)]
        largest = min(own, key=lambda g: (-len(g), slow_scatter(g), g))
        scores = {
            k: max((p[3] for p in votes if p[2] == k and p[3] == p[3]), default=None)
            for k in {p[2] for p in votes}
        }
        yield (
            *map(float, slow_centre(strong)),
            scores,
            len(largest),
            tuple(map(float, slow_centre(largest))),
        )


def rows_of(candidates: Candidates):
    rows = []
    for i in range(len(candidates)):
        found = np.flatnonzero(candidates.found[i])
        scores = candidates.picker_scores[i]
        rows.append(
            (
                candidates.micrographs[candidates.micrograph_index[i]],
                *candidates.yx[i].tolist(),
                {int(k): None if np.isnan(scores[k]) else scores[k] for k in found},
                int(candidates.agreement[i]),
                tuple(candidates.agreed_yx[i].tolist()),
            )
        )
    return rows


@st.composite
def crowded_pickers(draw):
    """Few pickers on few micrographs with whole-pixel picks, full of ties."""
    pixel = st.integers(0, draw(st.sampled_from([8, 20, 40])))
    score = st.sampled_from([np.nan, 0.0, 0.5, 1.0])
    rows = st.lists(st.tuples(pixel, pixel, score), max_size=12)
    micrographs = st.dictionaries(st.sampled_from(["m1", "m2"]), rows, max_size=2)
    names = draw(st.permutations(["a", "b", "c", "d"]))
    return [
        picks_of(name, draw(micrographs)) for name in names[: draw(st.integers(1, 4))]
    ]


@settings(max_examples=300, deadline=None)
@given(crowded_pickers(), st.integers(1, 8), st.integers(0, 10))
@pytest.mark.slow
def test_equals_the_slow_version(pickers, consensus, more):
    found = consensus_of(*pickers, consensus=consensus, merge=consensus + more)
    slow = slow_consensus(pickers, consensus, consensus + more)
    fast = rows_of(found)
    assert [row[:1] + row[3:5] for row in fast] == [row[:1] + row[3:5] for row in slow]
    assert_allclose([row[1:3] for row in fast], [row[1:3] for row in slow])
    assert_allclose([row[5] for row in fast], [row[5] for row in slow])


# --- invariants ----------------------------------------------------------------------


def simulated(seed, *, n_pickers=3, n_particles=120, size=600.0):
    """Pickers that find most particles of a crowded micrograph, with jitter."""
    rng = np.random.default_rng(seed)
    particles = rng.uniform(0, size, (n_particles, 2))
    pickers = []
    for k in range(n_pickers):
        hit = particles[rng.random(n_particles) < 0.8]
        yx = np.concatenate(
            [hit + rng.normal(0, 5, hit.shape), rng.uniform(0, size, (30, 2))]
        )
        picks = ScoredCoordinates.from_arrays(yx, rng.random(len(yx)))
        pickers.append(PickerPicks("abcdefgh"[k], 50.0, {"m": picks}))
    return pickers


def changed(picker, change, order=None):
    picks = picker.coordinates["m"]
    order = np.arange(len(picks)) if order is None else order
    moved = ScoredCoordinates(change(picks.yx)[order], picks.scores[order])
    return PickerPicks(picker.picker, picker.box_size, {"m": moved})


def same_rows(a: Candidates, b: Candidates, change=lambda yx: yx):
    expected, order = change(a.yx), np.arange(len(a))
    order = order[np.lexsort((expected[:, 1], expected[:, 0]))]
    assert_allclose(b.yx, expected[order])
    agreed = b.agreement >= 2  # with nobody agreeing, a tie: the first by y, x
    assert_allclose(b.agreed_yx[agreed], change(a.agreed_yx)[order][agreed])
    assert_array_equal(b.found, a.found[order])
    assert_array_equal(b.picker_scores, a.picker_scores[order])
    assert_array_equal(b.agreement, a.agreement[order])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_order_of_pickers_and_picks_does_not_matter(seed, random):
    pickers = simulated(seed)
    shuffled = [
        changed(p, lambda yx: yx, random.sample(range(len(p)), len(p)))
        for p in random.sample(pickers, len(pickers))
    ]
    same_rows(consensus_of(*pickers), consensus_of(*shuffled))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_shift_in_is_shift_out(seed, dy, dx):
    pickers = simulated(seed)

    def shift(yx):
        return yx + np.array([dy, dx])

    moved = [changed(p, shift) for p in pickers]
    same_rows(consensus_of(*pickers), consensus_of(*moved), shift)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_rows_and_columns_are_treated_alike(seed):
    def swap(yx):
        return yx[:, ::-1]

    pickers = simulated(seed)
    swapped = [changed(p, swap) for p in pickers]
    same_rows(consensus_of(*pickers), consensus_of(*swapped), swap)


@settings(max_examples=50, deadline=None)
@given(crowded_pickers(), st.integers(1, 8), st.integers(0, 10))
def test_invariants_of_every_table(pickers, consensus, more):
    merge = consensus + more
    found = consensus_of(*pickers, consensus=consensus, merge=merge)
    for name in found.micrographs:
        yx = found.on_micrograph(name).yx
        assert (pdist(yx) > merge).all()
    assert (found.agreement <= found.votes).all()
    assert (found.agreement >= 1).all()
    assert not (found.found & ~found.observed[found.micrograph_index]).any()
    assert np.isnan(found.picker_scores[~found.found]).all()
    total = sum(len(p) for p in pickers)
    assert found.votes.sum() <= total


def test_micrographs_do_not_touch_each_other_whatever_the_block(monkeypatch):
    pickers = simulated(5)
    names = [f"m{i}" for i in range(7)]
    many = [
        PickerPicks(p.picker, 50.0, dict.fromkeys(names, p.coordinates["m"]))
        for p in pickers
    ]
    alone = consensus_of(*pickers)
    for size in (1, 1000, 10**6):
        monkeypatch.setattr(pick_table, "_BLOCK_PICKS", size)
        together = consensus_of(*many)
        assert len(together) == 7 * len(alone)
        assert_array_equal(together.yx, np.tile(alone.yx, (7, 1)))
        assert_array_equal(together.found, np.tile(alone.found, (7, 1)))


# --- choose_min_pickers and subtract_picks -------------------------------------------


def test_choose_the_strictest_agreement_that_leaves_enough():
    far = [(0, 100 * i) for i in range(10)]
    found = consensus_of(
        picks_of("a", {"m": far}),
        picks_of("b", {"m": far[:6]}),
        picks_of("c", {"m": far[:3]}),
    )
    assert choose_min_pickers(found, min_positives=3) == 3
    assert choose_min_pickers(found, min_positives=4) == 2
    assert choose_min_pickers(found, min_positives=6) == 2
    assert choose_min_pickers(found, min_positives=7) == 2


def test_a_single_picker_agrees_with_itself():
    found = consensus_of(picks_of("a", {"m": [(0, 0)]}))
    assert choose_min_pickers(found, min_positives=500) == 1
    assert len(found.agreed(1)["m"]) == 1


def test_subtract_is_one_to_one_and_closest_first():
    a = picks_of("a", {"m": [(0, 0, 0.1), (0, 6, 0.2), (0, 50, 0.3)]})
    b = picks_of("b", {"m": [(0, 4)]})
    left = subtract_picks(a, b, radius_px=10)
    assert_array_equal(left.coordinates["m"].yx, [(0, 0), (0, 50)])
    assert_array_equal(left.coordinates["m"].scores, [0.1, 0.3])
    assert left.picker == "a"


def test_subtract_leaves_out_what_the_other_did_not_observe():
    a = picks_of("a", {"m1": [(0, 0)], "m2": [(0, 0)], "m3": [(0, 0)]})
    b = picks_of("b", {"m1": [], "m2": [(0, 0)]})
    left = subtract_picks(a, b, radius_px=10)
    assert {name: len(p) for name, p in left.coordinates.items()} == {"m1": 1, "m2": 0}


def test_subtract_refuses_a_radius_of_zero():
    a = picks_of("a", {"m": [(0, 0)]})
    with pytest.raises(ValueError, match="radius_px"):
        subtract_picks(a, a, radius_px=0)

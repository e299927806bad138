# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the table of candidates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


@pytest.fixture
def table():
    """Three pickers; the third was not run on the second of three micrographs."""
    return Candidates(
        micrographs=("m1", "m2", "m3"),
        pickers=("a", "b", "c"),
        observed=np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=bool),
        micrograph_index=np.array([0, 0, 1, 1, 2]),
        yx=np.array([[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]], dtype=float),
        found=np.array(
            [[1, 1, 1], [1, 1, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]], dtype=bool
        ),
        picker_scores=np.full((5, 3), np.nan),
        agreement=np.array([3, 2, 2, 1, 1]),
        agreed_yx=np.array([[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]) + 0.5,
    )


def counts(sets):
    return {name: len(picks) for name, picks in sets.items()}


def test_votes_and_observers(table):
    assert_array_equal(table.votes, [3, 2, 2, 1, 1])
    assert_array_equal(table.n_observers, [3, 3, 2, 2, 1])


def test_all_that_were_run_must_agree_but_never_fewer_than_two(table):
    assert counts(table.agreed(3)) == {"m1": 1, "m2": 1, "m3": 0}
    assert counts(table.agreed(2)) == {"m1": 2, "m2": 1, "m3": 0}
    assert counts(table.agreed(1)) == counts(table.agreed(2))


def test_agreed_gives_the_agreed_position_and_its_size(table):
    agreed = table.agreed(2)["m1"]
    assert_array_equal(agreed.yx, [[1.5, 1.5], [2.5, 2.5]])
    assert_array_equal(agreed.scores, [3, 2])


def test_a_single_picker_is_enough_where_there_is_only_one(table):
    single = Candidates.empty(("a",))
    single = replace(
        single,
        micrographs=("m",),
        observed=np.ones((1, 1), bool),
        micrograph_index=np.zeros(2, int),
        yx=np.zeros((2, 2)),
        found=np.ones((2, 1), bool),
        picker_scores=np.zeros((2, 1)),
        agreement=np.ones(2, int),
        agreed_yx=np.zeros((2, 2)),
        area_distance_px=np.full(2, np.inf),
    )
    assert counts(single.agreed(2)) == {"m": 2}


def test_nothing_is_agreed_on_unusable_area_nor_judged_where_nothing_was(table):
    assert_array_equal(table.area_distance_px, np.inf)
    distance = np.array([4.0, -np.inf, -3.0, 0.0, np.inf])
    table = replace(table, area_distance_px=distance)
    assert_array_equal(table.is_agreed(2), [True, False, False, False, False])
    assert_array_equal(table.can_be_judged, [True, False, True, True, True])
    assert_array_equal(table.take([1, 3]).area_distance_px, [-np.inf, 0.0])
    both = table.take([0, 1]).followed_by([table.take([4])])
    assert_array_equal(both.area_distance_px, distance[[0, 1, 4]])


def test_coordinates_are_split_by_micrograph(table):
    coordinates = table.coordinates()
    assert counts(coordinates) == {"m1": 2, "m2": 2, "m3": 1}
    assert_array_equal(coordinates["m2"].yx, [[3, 3], [4, 4]])
    assert_array_equal(coordinates["m2"].scores, [2, 1])


def test_one_micrograph_of_the_table(table):
    part = table.on_micrograph("m2")
    assert_array_equal(part.yx, [[3, 3], [4, 4]])
    assert part.micrographs == table.micrographs


def test_take_keeps_what_is_not_per_row(table):
    part = table.take(table.agreement >= 2)
    assert len(part) == 3
    assert part.pickers == table.pickers
    assert_array_equal(part.observed, table.observed)


def test_parts_put_together_again_are_the_whole(table):
    parts = [table.on_micrograph(name) for name in table.micrographs]
    whole = table.take(np.zeros(5, bool)).followed_by(parts)
    assert_array_equal(whole.yx, table.yx)
    assert_array_equal(whole.agreement, table.agreement)
    assert_array_equal(whole.micrograph_index, table.micrograph_index)


def test_picks_of_one_picker_are_all_candidates():
    """Also where nothing was found; micrographs by name, picks in their order."""
    none = ScoredCoordinates.from_arrays(np.empty((0, 2)))
    found = ScoredCoordinates.from_arrays([(5, 6), (1, 2)], [0.1, 0.9])
    table = Candidates.of_one(PickerPicks("a", 10, {"m2": found, "m1": none}))
    assert table.micrographs == ("m1", "m2")
    assert table.observed.all()
    assert_array_equal(table.yx, [(5, 6), (1, 2)])
    assert_array_equal(table.picker_scores, [[0.1], [0.9]])
    assert_array_equal(table.micrograph_index, [1, 1])
    assert_array_equal(table.votes, [1, 1])


def test_no_candidates_on_any_micrograph():
    empty = replace(
        Candidates.empty(("a", "b")),
        micrographs=("m1", "m2"),
        observed=np.ones((2, 2), bool),
    )
    assert counts(empty.coordinates()) == {"m1": 0, "m2": 0}
    assert counts(empty.agreed(2)) == {"m1": 0, "m2": 0}
    assert counts(Candidates.empty(("a",)).coordinates()) == {}


def test_wrong_shapes_are_refused_by_name(table):
    with pytest.raises(ValueError, match="agreement"):
        replace(table, agreement=np.zeros(4, int))

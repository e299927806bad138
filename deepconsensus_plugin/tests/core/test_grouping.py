# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of grouping by micrograph: against masks, and that its cost is not theirs."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deepconsensus_plugin.commands.export import best_first
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.datasets import LabelledCoordinates
from deepconsensus_plugin.core.deep_consensus.splits import split_by_micrograph
from deepconsensus_plugin.core.grouping import group_coordinates, rows_of_groups
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


class Counted(np.ndarray):
    """Integers that count how often one of them is looked at."""

    n_looks = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        Counted.n_looks += self.size
        return getattr(ufunc, method)(*map(np.asarray, inputs), **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        Counted.n_looks += self.size
        return super().__array_function__(function, types, args, kwargs)

    def __getitem__(self, key):
        Counted.n_looks += np.size(key)
        return np.asarray(self)[key]


def looks(numbers, act) -> int:
    """Return how often `act` looks at one of `numbers`."""
    counted = numbers.view(Counted)
    Counted.n_looks = 0
    act(counted)
    return Counted.n_looks


def table(n_micrographs=40, n_picks=25, seed=0) -> Candidates:
    """Return candidates of one picker, some micrographs without any."""
    rng = np.random.default_rng(seed)
    numbers = [0 if i % 7 == 3 else n_picks for i in range(n_micrographs)]
    return Candidates.of_one(
        PickerPicks(
            "p",
            10,
            {
                f"m{i:04d}.mrc": ScoredCoordinates(
                    rng.random((n, 2)), rng.integers(0, 9, n).astype(float)
                )
                for i, n in enumerate(numbers)
            },
        )
    )


def same(found, expected) -> bool:
    """Return whether both have the same micrographs and rows, in the same order."""
    assert list(found) == list(expected)
    for name, picks in found.items():
        assert_array_equal(picks.yx, expected[name].yx)
        assert_array_equal(picks.scores, expected[name].scores)
    return True


def test_rows_of_groups_are_those_that_masks_choose():
    group = np.random.default_rng(0).integers(-1, 12, 200)
    group[group == 5] = 6  # a group without rows
    rows = rows_of_groups(group, 11)  # and some beyond the last
    assert len(rows) == 11
    for number, here in enumerate(rows):
        assert_array_equal(here, np.flatnonzero(group == number))


def test_no_rows_and_no_groups():
    none = np.empty(0, dtype=int)
    assert rows_of_groups(none, 0) == []
    assert [len(rows) for rows in rows_of_groups(none, 3)] == [0, 0, 0]
    assert group_coordinates([], np.empty((0, 2)), np.empty(0)) == {}


def test_named_micrographs_come_first_then_those_of_the_rows():
    yx = np.arange(8.0).reshape(4, 2)
    found = group_coordinates(
        ["c", "b", "c", "a"], yx, np.arange(4.0), micrographs=["z", "b", "z"]
    )
    assert list(found) == ["z", "b", "c", "a"]
    assert len(found["z"]) == 0
    assert_array_equal(found["c"].yx, yx[[0, 2]])
    assert_array_equal(found["c"].scores, [0, 2])


def test_candidates_by_micrograph_are_those_that_masks_choose():
    candidates = table()
    values = np.random.default_rng(1).random(len(candidates))
    values[::5] = np.nan
    plain = {
        name: ScoredCoordinates(candidates.yx[rows], values[rows])
        for i, name in enumerate(candidates.micrographs)
        for rows in [candidates.micrograph_index == i]
    }
    assert same(candidates.by_micrograph(values), plain)


def best_first_by_masks(scored, chosen, observed):
    """Return what `best_first` should, by comparing all names for each."""
    names = np.array(scored.micrograph, dtype=str)
    order = np.argsort(-scored.score, kind="stable")
    return {
        name: ScoredCoordinates(scored.yx[rows], scored.score[rows])
        for name in sorted({*scored.micrograph, *observed})
        for rows in [order[(chosen & (names == name))[order]]]
    }


def scored_rows(n_micrographs, n_picks):
    """Return what an export reads of ``scores.csv``, rows in no order."""
    rng = np.random.default_rng(2)
    n = n_micrographs * n_picks
    score = rng.integers(0, 50, n) / 50  # many ties
    score[::9] = np.nan
    names = [f"m{i}.mrc" for i in rng.integers(0, n_micrographs, n)]
    return SimpleNamespace(
        micrograph=tuple(names), yx=rng.random((n, 2)) * 4000, score=score
    )


def test_exported_rows_are_those_that_masks_choose():
    scored = scored_rows(30, 20)
    chosen = np.random.default_rng(3).random(len(scored.score)) < 0.4
    chosen[np.array(scored.micrograph) == "m4.mrc"] = False
    observed = ("m1.mrc", "nothing.mrc", "a.mrc")
    found = best_first(scored, chosen, observed)
    assert len(found["m4.mrc"]) == len(found["nothing.mrc"]) == 0
    assert same(found, best_first_by_masks(scored, chosen, observed))


def _group(numbers):
    rows_of_groups(numbers, 100)


def _split(numbers):
    n = len(numbers)
    rows = LabelledCoordinates(
        sources=("s",),
        micrographs=tuple(f"m{i}" for i in range(100)),
        is_particle=np.arange(n) % 2 == 0,
        weight=np.ones(n, np.float32),
        source=np.zeros(n, int),
        micrograph=numbers,
        yx=np.zeros((n, 2)),
    )
    split_by_micrograph(rows, 0.2, np.random.default_rng(0))


def _by_micrograph(numbers):
    candidates = table(n_micrographs=100)
    replace(candidates, micrograph_index=numbers).by_micrograph(candidates.votes * 1.0)


@pytest.mark.parametrize("act", [_group, _split, _by_micrograph])
def test_every_row_is_looked_at_a_few_times_however_many_micrographs(act):
    """With a mask for each, it would be once for every micrograph: 100 times."""
    numbers = table(n_micrographs=100).micrograph_index
    assert 0 < looks(numbers, act) < 20 * len(numbers)


def test_masks_would_be_noticed():
    def masks(numbers):
        for number in range(100):
            _ = numbers == number

    numbers = table(n_micrographs=100).micrograph_index
    assert looks(numbers, masks) == 100 * len(numbers)


def seconds(act) -> float:
    """Return the least processor time of three runs."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        act()
        spent.append(time.process_time() - started)
    return min(spent)


def test_four_times_the_micrographs_take_about_four_times_as_long_to_export():
    """With all names compared for each, 16 times."""
    few, many = scored_rows(60, 300), scored_rows(240, 300)
    every = [np.ones(len(each.score), dtype=bool) for each in (few, many)]
    of_few = seconds(lambda: best_first(few, every[0]))
    assert seconds(lambda: best_first(many, every[1])) < 9 * of_few

# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of drawing background: coverage, exclusion, quotas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.spatial.distance import cdist
from scipy.stats import chisquare

from deepconsensus_plugin.core.negatives import FreeArea, draw_random_negatives
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


def micrograph(name="m", shape=(4092, 5760)):
    return Micrograph(name, Path(name), shape, 1.0)


def draw(micrographs, n, *, occupied=None, box_size=400, radius=200.0, seed=0):
    occupied = {
        name: ScoredCoordinates.from_arrays(yx) for name, yx in (occupied or {}).items()
    }
    return draw_random_negatives(
        micrographs,
        occupied,
        n,
        box_size=box_size,
        exclusion_radius_px=radius,
        rng=np.random.default_rng(seed),
    )


def usable_range(length, box_size):
    return box_size // 2, length - box_size + box_size // 2


@pytest.mark.parametrize("crowd", [0, 60])
def test_every_part_of_a_rectangular_micrograph_is_as_likely(crowd):
    shape, box_size, radius = (4092, 5760), 400, 200.0
    rng = np.random.default_rng(1)
    yx = rng.uniform((0, 0), shape, (crowd, 2))
    drawn = draw([micrograph(shape=shape)], 20_000, occupied={"m": yx})["m"].yx
    edges = [np.linspace(*usable_range(n, box_size), 13) for n in shape]
    for axis in edges:
        axis[-1] += 1
    counts, _, _ = np.histogram2d(*drawn.T, bins=edges)
    assert counts.sum() == 20_000
    # What share of each cell is free, on a grid of every 7th pixel.
    grid = np.stack(
        np.meshgrid(
            *(
                np.arange(low, high + 1, 7)
                for low, high in (usable_range(n, box_size) for n in shape)
            ),
            indexing="ij",
        ),
        axis=-1,
    ).reshape(-1, 2)
    if crowd:
        grid = grid[cdist(grid, yx).min(axis=1) > radius]
    expected, _, _ = np.histogram2d(*grid.T, bins=edges)
    cells = expected > 0.02 * expected.max()
    expected = expected[cells] * counts[cells].sum() / expected[cells].sum()
    assert chisquare(counts[cells], expected).pvalue > 1e-4
    if not crowd:
        assert (counts[[0, 0, -1, -1], [0, -1, 0, -1]] > 0).all()


@pytest.mark.parametrize("box_size", [1, 2, 5, 6])
def test_exactly_the_centres_whose_box_is_inside(box_size):
    shape = (7, 9)
    drawn = draw([micrograph(shape=shape)], 1000, box_size=box_size, radius=0.0)["m"].yx
    possible = {
        (y, x)
        for y in range(shape[0])
        for x in range(shape[1])
        if 0 <= y - box_size // 2 <= shape[0] - box_size
        and 0 <= x - box_size // 2 <= shape[1] - box_size
    }
    assert {tuple(p) for p in drawn.astype(int)} == possible
    assert len(drawn) == len(possible)


def test_nothing_inside_the_exclusion_zone_and_its_rim_is_excluded():
    drawn = draw(
        [micrograph(shape=(60, 60))],
        10_000,
        occupied={"m": [(30, 30), (10.5, 50.25)]},
        box_size=10,
        radius=5.0,
    )["m"].yx
    assert cdist(drawn, [(30, 30), (10.5, 50.25)]).min() > 5.0
    grid = np.stack(np.mgrid[5:56, 5:56], axis=-1).reshape(-1, 2)
    free = (cdist(grid, [(30, 30), (10.5, 50.25)]) > 5.0).all(axis=1)
    assert len(drawn) == free.sum()
    assert len(np.unique(drawn, axis=0)) == len(drawn)


def test_the_last_free_pixels_are_found():
    # Everything but the four corners of the usable area is taken.
    shape, yx = (41, 61), [(y, x) for y in range(0, 41) for x in range(0, 61)]
    corners = {(5, 5), (5, 55), (35, 5), (35, 55)}
    occupied = {"m": [p for p in yx if p not in corners]}
    drawn = draw([micrograph(shape=shape)], 9, occupied=occupied, box_size=11, radius=0)
    assert {tuple(p) for p in drawn["m"].yx.astype(int)} == corners


def test_free_pixels_counted_out_are_those_tested_one_by_one():
    rng = np.random.default_rng(3)
    for radius in (0.0, 3.0, 7.5, 200.0):
        occupied = rng.uniform(-20, 90, (25, 2)).round(1)
        area = FreeArea((50, 80), 8, occupied, radius)
        index = np.arange(area.n_centres)
        assert_array_equal(area.all_free(), index[area.are_free(index)])


def test_equal_shares_and_what_one_cannot_give_comes_from_the_others():
    full = [(y, x) for y in range(0, 101, 4) for x in range(0, 101, 4)]
    micrographs = [micrograph(name, (100, 100)) for name in ("a", "b", "c")]
    drawn = draw(micrographs, 101, occupied={"b": full}, box_size=20, radius=10)
    counts = {name: len(picks) for name, picks in drawn.items()}
    assert counts["b"] == 0
    assert sorted((counts["a"], counts["c"])) == [50, 51]
    assert list(drawn) == ["a", "b", "c"]


def test_shares_differ_by_one_at_most():
    micrographs = [micrograph(str(i), (100, 100)) for i in range(7)]
    for n in (0, 3, 7, 24):
        counts = [len(p) for p in draw(micrographs, n, box_size=20).values()]
        assert sum(counts) == n
        assert max(counts) - min(counts) <= 1


def test_too_small_a_micrograph_and_no_micrograph_give_none():
    assert len(draw([micrograph(shape=(39, 500))], 5, box_size=40)["m"]) == 0
    assert draw([], 5) == {}
    one = draw([micrograph(shape=(40, 40))], 5, box_size=40, radius=0)["m"]
    assert_array_equal(one.yx, [[20, 20]])
    assert np.isnan(one.scores).all()


def test_same_seed_same_negatives():
    micrographs = [micrograph("a"), micrograph("b")]
    first, again, other = (draw(micrographs, 50, seed=s) for s in (4, 4, 5))
    assert_array_equal(first["b"].yx, again["b"].yx)
    assert not np.array_equal(first["b"].yx, other["b"].yx)


@pytest.mark.parametrize(
    "wrong", [{"n": -1}, {"box_size": 0}, {"radius": -1.0}, {"radius": np.nan}]
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="expected n_negatives"):
        draw([micrograph()], **{"n": 1, **wrong})

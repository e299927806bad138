# SPDX-License-Identifier: GPL-3.0-or-later
"""Coordinates in other pixels than those of the micrographs, told before training."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.core.alignment import (
    describe_confinement,
    find_misalignments,
    measure_misalignment,
)
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules, combine_picks
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

SHAPE, BOX = (1200, 1600), 80
SHAPES = {f"m{i}": SHAPE for i in range(5)}


def called(name, factor=1.0, *, seed, n=250):
    """Return picks of the same particles, off by `factor` or by that of y and of x."""
    rng, particles = np.random.default_rng(seed), np.random.default_rng(0)
    low, high = (30.0, 30.0), np.subtract(SHAPE, 30.0)
    found = {}
    for micrograph in SHAPES:
        true = particles.uniform(low, high, (n, 2))
        seen = true[rng.random(n) < 0.8]
        false = rng.uniform(low, high, (n // 5, 2))
        yx = np.concatenate([seen + rng.normal(0, 2, seen.shape), false])
        found[micrograph] = ScoredCoordinates.from_arrays(yx * np.array(factor))
    return PickerPicks(name, BOX, found)


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        *((1 / 2, "scale=2."), (1 / 3, "scale=3."), (1 / 4, "scale=4.")),
        *((2, "scale=0.5."), (2 / 3, "scale=1.5."), (0.9, "scale=1.1")),
        *((1.1, "scale=0.9"), ((1, 0.709), "x and y may have different scales")),
        ((0.7, 1), "x and y may have different scales"),
    ],
)
def test_pickers_that_are_all_scaled_are_seen_by_their_extents(factor, told):
    pickers = [called(name, factor, seed=i) for i, name in enumerate(("one", "two"))]
    assert told in describe_confinement(pickers[0], SHAPES)
    report = combine_picks(pickers, ConsensusRules(), shapes=SHAPES).report
    assert [line[:30] for line in report.misalignments] == [
        "WARNING: Picks of one reach to",
        "WARNING: Picks of two reach to",
    ]


@pytest.mark.parametrize("seed", range(4))
def test_few_picks_tell_a_binning_too(seed):
    few = called("a", 0.5, seed=seed, n=12)
    assert "scale=2." in describe_confinement(few, SHAPES)


def test_two_of_three_pickers_are_both_named():
    pickers = [
        called("a", 0.5, seed=1),
        called("b", 0.5, seed=2),
        called("c", seed=3),
    ]
    found = find_misalignments(pickers, SHAPES, box_size=BOX)
    assert [each.other for each in found] == ["a", "b"]
    assert all("scale=2 " in each.describe() for each in found)


@pytest.mark.parametrize("factor", [1 / 2, 2, 0.95, 1.05])
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_two_pickers_the_wrong_one_is_named(factor, names):
    pickers = [called(names[0], seed=1), called(names[1], factor, seed=2)]
    (found,) = find_misalignments(pickers, SHAPES, box_size=BOX)
    assert found.other == names[1]
    np.testing.assert_allclose(found.scale, factor, rtol=2e-3)


@pytest.mark.parametrize("factor", [1.01, 1.02, 0.98])
def test_scales_near_1_show_in_many_picks(factor):
    pickers = called("a", seed=1), called("b", factor, seed=2)
    found = measure_misalignment(*pickers, SHAPES, box_size=BOX)
    assert found.is_gross
    np.testing.assert_allclose(found.scale, factor, rtol=1e-3)
    np.testing.assert_allclose(found.stretch_x, 1, rtol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_right_pickers_raise_no_alarm(seed):
    pickers = [called(name, seed=10 * seed + i) for i, name in enumerate("ab")]
    assert find_misalignments(pickers, SHAPES, box_size=BOX) == []
    for n in (6, 20, 60, 250):
        assert describe_confinement(called("a", seed=seed, n=n), SHAPES) is None


def test_too_few_picks_or_no_shapes_tell_nothing():
    corner = ScoredCoordinates.from_arrays(np.full((29, 2), 10.0))
    assert describe_confinement(PickerPicks("a", BOX, {"m1": corner}), SHAPES) is None
    assert describe_confinement(called("a", 0.5, seed=1), {}) is None


def test_a_border_without_particles_is_no_scale():
    """Carbon on the left and picks that begin far from the first pixel."""
    picks = called("a", seed=1).coordinates
    right = {
        name: each.take(each.yx[:, 1] > 0.4 * SHAPE[1]) for name, each in picks.items()
    }
    assert describe_confinement(PickerPicks("a", BOX, right), SHAPES) is None


def test_extents_of_real_pickers():
    folder = os.environ.get("DEEPCONSENSUS_DATA")
    if not folder:
        pytest.skip("DEEPCONSENSUS_DATA is not set: real picks are not at hand")
    for source in sorted(Path(folder, "empiar10017", "pickers").iterdir()):
        read = {each.stem: read_picks(each)[None] for each in source.glob("*.box")}
        shapes = dict.fromkeys(read, (2048, 2048))
        for factor in (1, 1 / 2, 0.95, 1.05, 2):
            scaled = {
                name: ScoredCoordinates(each.yx * factor, each.scores)
                for name, each in read.items()
            }
            said = describe_confinement(PickerPicks("p", 90, scaled), shapes)
            assert (said is None) == (factor == 1)

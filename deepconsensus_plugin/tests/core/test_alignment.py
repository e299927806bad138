# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of finding shift, scale and mirroring, and of raising no false alarm."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deepconsensus_plugin.core.alignment import (
    find_misalignments,
    measure_misalignment,
)
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

SHAPE, BOX = (1200, 1600), 80
SHAPES = {"m1": SHAPE, "m2": SHAPE, "m3": SHAPE}


def packed(rng, *, spacing=70.0, jitter=12.0, shape=SHAPE):
    """Return points as crowded particles lie: a lattice of any phase, jittered."""
    phase = rng.uniform(0, spacing, 2)
    grid = np.mgrid[0 : shape[0] : spacing, 0 : shape[1] : spacing].reshape(2, -1).T
    yx = grid + phase + rng.normal(0, jitter, grid.shape)
    inside = (yx > 0).all(axis=1) & (yx < np.array(shape) - 1).all(axis=1)
    return yx[inside]


def scattered(rng, n=250):
    return rng.uniform((0, 0), np.array(SHAPE) - 1.0, (n, 2))


def picker(name, points_of_micrographs):
    coordinates = {
        micrograph: ScoredCoordinates.from_arrays(points)
        for micrograph, points in points_of_micrographs.items()
    }
    return PickerPicks(name, BOX, coordinates)


def two_pickers(change, *, seed=0, recall=0.8, particles=scattered):
    """Return two pickers of the same particles; the second one's picks changed."""
    rng = np.random.default_rng(seed)
    first, second = {}, {}
    for name in SHAPES:
        true = particles(rng)
        for picks in (first, second):
            seen = true[rng.random(len(true)) < recall]
            false = scattered(rng, len(true) // 4)
            jittered = seen + rng.normal(0, 2, seen.shape)
            picks[name] = np.concatenate([jittered, false])
        second[name] = change(second[name])
    return picker("good", first), picker("odd", second)


def flipped(yx, axis):
    out = yx.copy()
    out[:, axis] = SHAPE[axis] - 1 - out[:, axis]
    return out


def measure(a, b):
    return measure_misalignment(a, b, SHAPES, box_size=BOX)


@pytest.mark.parametrize("particles", [scattered, packed])
def test_corners_read_as_centres_are_named(particles):
    found = measure(*two_pickers(lambda yx: yx - 40, particles=particles))
    assert found.is_significant
    assert found.is_gross
    assert_allclose(found.shift_yx, -40, atol=0.7)
    assert found.scale == 1
    assert found.matched_fraction > 0.6
    text = found.describe()
    for words in ("odd", "good", "px left", "px above", "half of the box of 80 px"):
        assert words in text
    assert "corners read as centres" in text


@pytest.mark.parametrize(
    ("change", "flags", "words"),
    [
        (lambda yx: flipped(yx, 0), (True, False, False), "invertY"),
        (lambda yx: flipped(yx, 1), (False, True, False), "mirrored in x"),
        (lambda yx: yx[:, ::-1], (False, False, True), "swap x and y"),
        (lambda yx: flipped(flipped(yx, 0), 1), (True, True, False), "mirrored in x"),
    ],
)
def test_mirrored_and_exchanged_axes_are_named(change, flags, words):
    found = measure(*two_pickers(change))
    assert found.is_gross
    assert (found.flip_y, found.flip_x, found.swapped_xy) == flags
    assert found.scale == 1
    assert_allclose(found.shift_yx, 0, atol=0.7)
    assert words in found.describe()


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0, 1.31, 0.97])
def test_scale_is_found_and_its_mend_named(scale):
    found = measure(*two_pickers(lambda yx: scale * yx))
    assert found.is_gross
    assert_allclose(found.scale, scale, rtol=1e-3)
    assert f"import them with scale={1 / found.scale:.4g}" in found.describe()


def test_scale_mirror_and_corner_together():
    found = measure(*two_pickers(lambda yx: 0.5 * (flipped(yx, 0) - 40)))
    assert (found.scale, found.flip_y, found.flip_x) == (0.5, True, False)
    assert_allclose(found.shift_yx, -40, atol=0.7)


def test_small_shift_is_measured_and_told_but_not_gross():
    found = measure(*two_pickers(lambda yx: yx + np.array([2.5, -2.5])))
    assert found.is_significant
    assert not found.is_gross
    assert_allclose(found.shift_yx, (2.5, -2.5), atol=0.4)
    assert "px left" in found.describe()
    assert "px below" in found.describe()
    assert "half" not in found.describe()


def test_shift_in_reverse_is_the_shift_reversed():
    good, odd = two_pickers(lambda yx: yx + np.array([30.0, -10.0]))
    there, back = measure(good, odd), measure(odd, good)
    assert_allclose(there.shift_yx, np.negative(back.shift_yx), atol=0.7)


def test_good_agreement_raises_no_alarm():
    found = measure(*two_pickers(lambda yx: yx))
    assert not found.is_significant
    assert found.matched_fraction > 0.6
    assert_allclose(found.shift_yx, 0, atol=0.7)
    assert "no systematic error" in found.describe()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("first", "second"),
    [(scattered, scattered), (packed, packed), (packed, scattered)],
)
def test_independent_picks_raise_no_alarm(first, second, seed):
    rng = np.random.default_rng(seed)
    a = picker("a", {name: first(rng) for name in SHAPES})
    b = picker("b", {name: second(rng) for name in SHAPES})
    assert not measure(a, b).is_significant


@pytest.mark.parametrize("seed", range(2))
def test_independent_regular_lattices_on_one_micrograph_raise_no_alarm(seed):
    rng = np.random.default_rng(seed)
    a, b = (picker(name, {"m1": packed(rng, jitter=3.0)}) for name in "ab")
    assert not measure(a, b).is_significant


def test_pickers_that_share_little_raise_no_alarm():
    for recall in (0.0, 0.15, 0.3):
        found = measure(*two_pickers(lambda yx: yx, recall=recall))
        assert not found.is_gross


def test_fewer_than_twenty_picks_say_nothing():
    rng = np.random.default_rng(0)
    yx = scattered(rng, 19)
    found = measure(picker("a", {"m1": yx}), picker("b", {"m1": yx - 40}))
    assert not found.is_significant
    assert found.n_compared == 19
    more = scattered(rng, 40)
    found = measure(picker("a", {"m1": more}), picker("b", {"m1": more - 40}))
    assert_allclose(found.shift_yx, -40, atol=0.7)
    assert found.is_significant


def test_nothing_in_common():
    yx = scattered(np.random.default_rng(0))
    a, empty = picker("a", {"m1": yx}), picker("b", {"m1": yx[:0]})
    for other in (empty, picker("b", {"m2": yx}), picker("b", {})):
        found = measure(a, other)
        assert not found.is_significant
        assert found.n_compared == 0
        assert found.matched_fraction == 0


def test_all_picks_in_one_place():
    same = np.full((30, 2), 100.0)
    found = measure(picker("a", {"m1": same}), picker("b", {"m1": same}))
    assert not found.is_gross


def test_the_one_that_is_wrong_is_named_once():
    good, odd = two_pickers(lambda yx: flipped(yx, 0))
    _, fine = two_pickers(lambda yx: yx)
    fine = PickerPicks("fine", BOX, fine.coordinates)
    found = find_misalignments([odd, good, fine], SHAPES, box_size=BOX)
    assert [each.other for each in found] == ["odd"]
    assert find_misalignments([], SHAPES, box_size=BOX) == []
    assert find_misalignments([good], SHAPES, box_size=BOX) == []


def test_box_size_must_be_positive():
    good, odd = two_pickers(lambda yx: yx)
    with pytest.raises(ValueError, match="box_size"):
        measure_misalignment(good, odd, SHAPES, box_size=0)


# --- real picks ----------------------------------------------------------------------

REAL_BOX = 90


@pytest.fixture(scope="module")
def real_pickers():
    folder = os.environ.get("DEEPCONSENSUS_DATA")
    if not folder:
        pytest.skip("DEEPCONSENSUS_DATA is not set: real picks are not at hand")
    pickers = {}
    for source in sorted(Path(folder, "empiar10017", "pickers").iterdir()):
        coordinates = {
            file.stem: next(iter(read_picks(file).values()))
            for file in sorted(source.glob("*.box"))
        }
        pickers[source.name] = PickerPicks(source.name, REAL_BOX, coordinates)
    return pickers


def test_real_pickers_raise_no_alarm_but_deeppickers_shift_is_told(real_pickers):
    shapes = {
        name: (2048, 2048) for p in real_pickers.values() for name in p.coordinates
    }
    pairs = [("cryolo", "topaz"), ("cassper", "gautomatch"), ("cassper", "cryolo-b")]
    pairs += [("deeppicker", "gautomatch"), ("topaz", "deeppicker")]
    for one, other in pairs:
        found = measure_misalignment(
            real_pickers[one], real_pickers[other], shapes, box_size=REAL_BOX
        )
        assert not found.is_gross
        assert found.is_significant == ("deeppicker" in (one, other))
    found = find_misalignments(list(real_pickers.values()), shapes, box_size=REAL_BOX)
    assert [each.other for each in found] == ["deeppicker"]


@pytest.mark.parametrize("names", [("binned", "full"), ("full", "also binned")])
def test_of_two_the_one_that_is_confined_to_a_corner_is_named(names):
    full, binned = two_pickers(lambda yx: yx / 2)
    called = {"full": full, "binned": binned, "also binned": binned}
    pickers = [PickerPicks(name, BOX, called[name].coordinates) for name in names]
    (found,) = find_misalignments(pickers, SHAPES, box_size=BOX)
    assert found.other.endswith("binned")
    assert "scale=2" in found.describe()


@pytest.mark.parametrize(
    ("along_y", "along_x"), [(1, 0.709), (0.75, 1), (512 / SHAPE[0], 512 / SHAPE[1])]
)
def test_axes_of_different_scales_are_named(along_y, along_x):
    found = measure(*two_pickers(lambda yx: yx * [along_y, along_x]))
    assert found.is_gross
    assert_allclose(found.scale, along_y, rtol=3e-3)
    assert_allclose(found.scale * found.stretch_x, along_x, rtol=3e-3)
    assert found.matched_fraction > 0.4
    assert "made its images square" in found.describe()

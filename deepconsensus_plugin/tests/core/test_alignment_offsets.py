# SPDX-License-Identifier: GPL-3.0-or-later
"""Offsets between pickers: their peak, and their peak once corrected."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.alignment import measure_offsets
from deepconsensus_plugin.core.types import FloatArray, PickerPicks, ScoredCoordinates

SHAPE, BOX = (900, 1200), 60
SHAPES = {"m1": SHAPE, "m2": SHAPE}


def pickers(**changes) -> list[PickerPicks]:
    """Return pickers of the same particles, each changed by its function."""
    made = []
    for seed, (name, change) in enumerate(changes.items()):
        rng, jitter = np.random.default_rng(7), np.random.default_rng(seed)
        coordinates = {}
        for micrograph in SHAPES:
            yx = rng.uniform((60, 60), np.subtract(SHAPE, 60), (150, 2))
            yx = change(yx + jitter.normal(0, 1, yx.shape))
            coordinates[micrograph] = ScoredCoordinates.from_arrays(yx)
        made.append(PickerPicks(name, BOX, coordinates))
    return made


def share_near(offsets: FloatArray, yx: tuple[float, float]) -> float:
    return float((np.hypot(*(offsets - yx).T) < 5).sum() / 300)


def same(yx: FloatArray) -> FloatArray:
    return yx


def shifted(yx: FloatArray) -> FloatArray:
    return yx + np.array([20, -10])


def mirrored(yx: FloatArray) -> FloatArray:
    return np.column_stack([SHAPE[0] - 1 - yx[:, 0], yx[:, 1]])


def test_a_shift_is_where_offsets_pile_up():
    first, second = measure_offsets(
        pickers(a=same, b=same, c=shifted), SHAPES, box_size=BOX
    )
    assert (first.misalignment.other, second.misalignment.other) == ("b", "c")
    assert share_near(first.yx, (0, 0)) > 0.95
    assert share_near(second.yx, (20, -10)) > 0.95
    assert second.misalignment.is_gross
    assert first.mended_yx is None and second.mended_yx is None
    assert np.abs(second.yx).max() <= BOX


def test_of_mirrored_picks_only_the_mended_offsets_pile_up():
    _, found = measure_offsets(
        pickers(a=same, b=same, c=mirrored), SHAPES, box_size=BOX
    )
    assert found.misalignment.flip_y
    assert share_near(found.yx, (0, 0)) < 0.1
    assert found.mended_yx is not None
    assert share_near(found.mended_yx, (0, 0)) > 0.95


def test_one_picker_has_no_offsets():
    assert measure_offsets(pickers(a=same), SHAPES, box_size=BOX) == []

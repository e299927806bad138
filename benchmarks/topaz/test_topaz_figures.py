# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the average precision of regions: by hand, by sorting, and on a set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from benchmarks.topaz.figures import average_precision_of_regions, evaluate
from benchmarks.topaz.sets import LearningSet
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


def region_precision(scores, is_positive):
    return average_precision_of_regions(
        [(np.array(scores, np.float32), np.array(is_positive, bool))]
    )


def test_a_curve_by_hand():
    # Precision 1/1, then 2/3, each gaining half of the recall.
    assert region_precision([3, -1, 2, -5], [1, 1, 0, 0]) == pytest.approx(5 / 6)


def test_equal_scores_count_together():
    assert region_precision([1, 1, 1, 1], [1, 0, 0, 0]) == pytest.approx(1 / 4)


def test_pixels_of_all_micrographs_are_one_list():
    rng = np.random.default_rng(0)
    maps = []
    for n in (50, 40, 30):
        is_positive = rng.random((n, n)) < 0.1
        scores = rng.normal(is_positive * 1.5 - 3, 1).astype(np.float32)
        maps.append((scores, is_positive))

    scores, labels = (np.concatenate([m[i].ravel() for m in maps]) for i in (0, 1))
    expected = average_precision_score(labels, scores)
    assert average_precision_of_regions(maps) == pytest.approx(expected, abs=2e-4)


def test_scores_are_finite():
    with pytest.raises(ValueError, match="finite"):
        region_precision([0.0, np.nan], [1, 0])


def learning_set():
    micrographs = tuple(
        Micrograph(name, Path(name), (80, 120), 2.0) for name in ("a.mrc", "b.mrc")
    )
    truth = {
        "a.mrc": ScoredCoordinates.from_arrays([[40, 40]]),
        "b.mrc": ScoredCoordinates.from_arrays([[20, 20], [60, 100]]),
    }
    return LearningSet("two", micrographs[:1], micrographs[1:], truth, 48.0, 36, 4)


def test_a_perfect_picker():
    learning = learning_set()
    y, x = np.mgrid[:20, :30]
    distance = np.minimum(np.hypot(y - 5, x - 5), np.hypot(y - 15, x - 25))
    figures = evaluate(learning, learning.truth, lambda name: -distance)

    assert figures.region_average_precision == pytest.approx(1.0)

    scored = ScoredCoordinates.from_arrays([[60, 99], [22, 18], [30, 60]], [9, 8, 7])
    figures = evaluate(learning, {"b.mrc": scored}, lambda name: -distance)

    assert figures.average_precision == pytest.approx(1.0)
    assert (figures.best_f1, figures.best_f1_threshold) == (1.0, 8.0)


def test_scores_of_another_pixel_size_are_refused():
    with pytest.raises(ValueError, match=r"b.mrc: expected scores of shape \(20, 30\)"):
        evaluate(learning_set(), {}, lambda name: np.zeros((80, 120), np.float32))

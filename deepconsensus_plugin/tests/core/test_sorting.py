# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of sorting: features worked by hand, invariances, outliers come out worst."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deepconsensus_plugin.core.negatives.sorting import (
    FEATURES,
    box_features,
    sorting_zscores,
)


def particles(n, *, size=32, seed=0, contrast=2.0):
    rng = np.random.default_rng(seed)
    axis = np.arange(size) - (size - 1) / 2
    blob = np.exp(-np.add.outer(axis**2, axis**2) / (size / 6) ** 2 / 2)
    return contrast * blob + rng.normal(0, 1, (n, size, size))


def column(features, name):
    return features[:, FEATURES.index(name)]


def test_features_of_a_box_worked_by_hand():
    box = np.zeros((1, 8, 8))
    box[0, :, 4:] = 2.0
    features = box_features(box)
    assert features.shape == (1, len(FEATURES))
    assert_allclose(column(features, "mean"), 1)
    assert_allclose(column(features, "log deviation"), 0, atol=1e-5)
    assert_allclose(column(features, "skewness"), 0, atol=1e-12)
    assert_allclose(column(features, "kurtosis"), 1)
    assert_allclose(column(features, "quantile 0.1"), -1)
    assert_allclose(column(features, "quantile 0.99"), 1)
    # One step of 2 between 2 of 8 columns: 4 in one of 7 differences.
    assert_allclose(column(features, "log gradient"), np.log(4 / 7), atol=1e-5)
    assert_allclose(column(features, "log deviation of quadrants"), 0, atol=1e-5)


def test_only_mean_and_deviation_know_the_scale():
    boxes = particles(5)
    plain, changed = box_features(boxes), box_features(3 * boxes + 7)
    assert_allclose(plain[:, 2:], changed[:, 2:], atol=1e-6)
    assert_allclose(changed[:, 0], 3 * plain[:, 0] + 7)
    assert_allclose(changed[:, 1] - plain[:, 1], np.log(3), atol=1e-5)


@pytest.mark.parametrize("turn", [1, 2, 3])
@pytest.mark.parametrize("size", [32, 33])
def test_turned_boxes_have_the_same_features(turn, size):
    boxes = particles(4, size=size)
    turned = np.rot90(boxes, turn, axes=(1, 2))
    names = [name for name in FEATURES if "quadrants" not in name or size % 2 == 0]
    columns = [FEATURES.index(name) for name in names]
    assert_allclose(
        box_features(boxes)[:, columns], box_features(turned)[:, columns], atol=1e-9
    )


def test_constant_boxes_are_finite_and_far_out():
    boxes = particles(200)
    flat = np.stack([np.zeros((32, 32)), np.full((32, 32), 5.0)])
    reference = box_features(boxes)
    z = sorting_zscores(box_features(flat), reference)
    assert np.isfinite(z).all()
    assert z.min() > 5 * sorting_zscores(reference, reference).max()


def test_all_constant_reference_is_finite():
    flat = box_features(np.zeros((5, 16, 16)))
    assert_allclose(sorting_zscores(flat, flat), 0)


def test_usual_boxes_score_about_one():
    rng = np.random.default_rng(3)
    mixing = np.eye(6) + 0.2 * rng.normal(0, 1, (6, 6))
    reference = rng.normal(0, 1, (4000, 6)) @ mixing
    z = sorting_zscores(reference, reference)
    assert_allclose(np.sqrt((z**2).mean()), 1, atol=0.05)


def test_correlated_features_are_decorrelated():
    rng = np.random.default_rng(4)
    common = rng.normal(0, 1, (5000, 1))
    reference = np.concatenate([common, common + 0.1 * rng.normal(0, 1, (5000, 1))], 1)
    along, across = sorting_zscores(np.array([[2.0, 2.0], [1.0, -1.0]]), reference)
    assert across > 3 * along


def test_a_few_bad_boxes_in_the_reference_still_come_out_worst():
    good, bad = particles(500), particles(15, seed=1)
    bad[:, :, 20:] += 6.0  # the edge of a hole
    features = box_features(np.concatenate([good, bad]))
    z = sorting_zscores(features, features)
    assert set(np.argsort(-z)[:15]) == set(range(500, 515))


def test_no_boxes_and_two_reference_boxes():
    features = box_features(particles(2))
    assert sorting_zscores(features[:0], features).shape == (0,)
    assert box_features(np.zeros((0, 16, 16))).shape == (0, len(FEATURES))
    assert np.isfinite(sorting_zscores(features, features)).all()


def test_what_does_not_fit_is_refused():
    for shape in ((2, 16, 17), (16, 16), (2, 7, 7)):
        with pytest.raises(ValueError, match="boxes"):
            box_features(np.zeros(shape))
    features = box_features(particles(3))
    with pytest.raises(ValueError, match="2 reference rows"):
        sorting_zscores(features, features[:1])
    with pytest.raises(ValueError, match="same columns"):
        sorting_zscores(features, features[:, :3])

# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.label_noise import (
    FEWEST_BOXES,
    LabelNoise,
    estimate_label_trust,
)

N_FEATURES = 30


def _boxes(n, *, seed=0, apart=4.0):
    """Return features whose largest direction tells particles, truth, micrographs."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2 == 0
    features = rng.normal(size=(n, N_FEATURES))
    features[:, :10] += apart / np.sqrt(10) * (truth[:, None] - 0.5)
    return features, truth, rng.integers(0, 12, n)


def _corrupt(truth, share, *, seed=1):
    return truth ^ (np.random.default_rng(seed).random(len(truth)) < share)


def _trust(features, labels, micrograph, seed=2):
    rng = np.random.default_rng(seed)
    return estimate_label_trust(features, labels, micrograph, rng=rng)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4])
def test_the_share_of_wrong_labels_is_found_and_most_of_them_are_named(share):
    features, truth, micrograph = _boxes(4000)
    labels = _corrupt(truth, share)

    trust = _trust(features, labels, micrograph)
    noise = LabelNoise.of(labels, trust)

    assert noise.wrong_particles == pytest.approx(share, abs=0.03)
    assert noise.wrong_background == pytest.approx(share, abs=0.03)
    kept = trust > 0.5
    assert (labels == truth)[kept].mean() > 0.95
    assert noise.n_particles + noise.n_background == (~kept).sum()


def test_the_two_labels_may_be_wrong_at_different_rates():
    features, truth, micrograph = _boxes(4000)
    labels = truth | _corrupt(np.zeros_like(truth), 0.3)  # background called particles

    noise = LabelNoise.of(labels, _trust(features, labels, micrograph))

    assert noise.wrong_particles == pytest.approx(0.3 / 1.3, abs=0.03)
    assert noise.wrong_background < 0.03


def test_correct_labels_of_what_is_hard_to_tell_are_believed():
    features, truth, micrograph = _boxes(
        2000, apart=1.5
    )  # a fifth is on the wrong side

    trust = _trust(features, truth, micrograph)

    assert (trust > 0.5).mean() > 0.95


def test_nothing_to_tell_them_by_leaves_the_labels_as_they_are():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(1000, 30)), rng.random(1000) < 0.5

    trust = _trust(features, labels, np.arange(1000) % 7)

    assert np.isfinite(trust).all()
    assert ((trust >= 0) & (trust <= 1)).all()


def test_same_seed_same_trust_and_order_of_boxes_does_not_matter():
    features, truth, micrograph = _boxes(600)
    labels = _corrupt(truth, 0.3)
    order = np.random.default_rng(3).permutation(600)

    once = _trust(features, labels, micrograph)
    again = _trust(features, labels, micrograph)
    shuffled = _trust(features[order], labels[order], micrograph[order])

    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(shuffled, once[order], atol=1e-6)


@pytest.mark.parametrize("n_micrographs", [1, 2])
def test_few_micrographs_are_divided(n_micrographs):
    features, truth, _ = _boxes(1000)
    labels = _corrupt(truth, 0.25)

    trust = _trust(features, labels, np.arange(1000) % n_micrographs)

    assert (labels == truth)[trust > 0.5].mean() > 0.93


def test_constant_features_do_no_harm():
    features, truth, micrograph = _boxes(400)
    features[:, 5:] = 7.0

    assert np.isfinite(_trust(features, truth, micrograph)).all()


def test_few_boxes_are_believed():
    features, truth, micrograph = _boxes(FEWEST_BOXES - 1)
    assert (_trust(features, _corrupt(truth, 0.4), micrograph) == 1).all()


def test_one_kind_of_label_is_refused():
    features, truth, micrograph = _boxes(100)
    with pytest.raises(ValueError, match="both kinds"):
        _trust(features, np.ones_like(truth), micrograph)
    with pytest.raises(ValueError, match="as many features"):
        _trust(features, truth[:50], micrograph)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Separation of particles from background by the log-odds of a network alone."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.pickers.populations.log_odds import fit_particle_mixture
from deepconsensus_plugin.core.pickers.populations.log_odds_mixture import (
    fit_log_odds,
    half_sample_mode,
)


def background(rng, n, *, spread=0.7):
    """Return log-odds around -3: a steep side above, a long tail below."""
    below = -3 - rng.exponential(3, n // 2)
    return np.concatenate([below, -3 + np.abs(rng.normal(0, spread, n // 2))])


def best_f1(scores, is_particle):
    order = np.argsort(-scores)
    right = np.cumsum(is_particle[order])
    return (2 * right / (np.arange(1, len(scores) + 1) + is_particle.sum())).max()


def f1(scores, is_particle, threshold):
    accepted = scores >= threshold
    right = (accepted & is_particle).sum()
    return 2 * right / (accepted.sum() + is_particle.sum())


@pytest.mark.parametrize(
    ("centre", "n_particles", "within"),
    [(1, 150, 0.02), (1, 1500, 0.01), (1, 6000, 0.01), (-0.5, 1500, 0.02)],
)
def test_it_is_close_to_the_best_f1_and_knows_the_precision(
    centre, n_particles, within
):
    rng = np.random.default_rng(1)
    particles = rng.normal(centre, 0.8, n_particles)
    scores = np.concatenate([background(rng, 12000), particles])
    is_particle = np.arange(len(scores)) >= 12000

    mixture = fit_particle_mixture(scores)
    threshold = mixture.find_threshold(scores)

    assert f1(scores, is_particle, threshold) > best_f1(scores, is_particle) - within
    accepted = scores >= threshold
    expected = mixture.probability(scores[accepted]).mean()
    assert expected == pytest.approx(is_particle[accepted].mean(), abs=4 * within)


def test_fit_recovers_what_made_it():
    rng = np.random.default_rng(2)
    scores = np.concatenate([background(rng, 40000), rng.normal(1, 0.5, 5000)])
    fitted = fit_log_odds(scores)
    assert fitted.middle == pytest.approx(-3, abs=0.2)
    assert fitted.shape == 2
    assert fitted.scale == pytest.approx(0.7 * np.sqrt(2), rel=0.15)
    np.testing.assert_allclose(fitted.weights, [0.8, 0.2], atol=0.03)
    np.testing.assert_allclose(fitted.middle + fitted.means, [1], atol=0.1)
    np.testing.assert_allclose(np.sqrt(fitted.variances), [0.5], atol=0.05)


def test_what_lies_between_is_not_particles():
    """Poor places that the network half believes in."""
    rng = np.random.default_rng(3)
    between, particles = rng.normal(-1.2, 0.4, 3000), rng.normal(1.5, 0.5, 800)
    scores = np.concatenate([background(rng, 40000), between, particles])
    threshold = fit_particle_mixture(scores).find_threshold(scores)
    assert (between < threshold).mean() > 0.98
    assert (particles >= threshold).mean() > 0.98


def test_probability_never_falls():
    rng = np.random.default_rng(4)
    scores = np.concatenate([background(rng, 5000), rng.normal(0, 1.5, 1000)])
    mixture = fit_particle_mixture(scores)
    some = rng.permutation(np.linspace(-20, 10, 301))
    probability = mixture.probability(some)
    assert (np.diff(probability[np.argsort(some)]) >= 0).all()
    assert probability[some < -3.5].max() == 0
    assert probability.max() > 0.99


def test_one_population_tells_nothing():
    rng = np.random.default_rng(5)
    assert fit_particle_mixture(background(rng, 5000)) is None
    assert fit_particle_mixture(np.ones(100)) is None
    assert fit_particle_mixture(np.append(np.ones(90), np.linspace(-9, 0, 50))) is None
    assert fit_particle_mixture(np.array([-3.0, 2.0])) is None
    assert fit_particle_mixture(np.empty(0)) is None


def test_a_handful_of_outliers_are_not_the_particles():
    rng = np.random.default_rng(6)
    scores = np.concatenate([background(rng, 10000), [6.0, 6.5, 7.0]])
    assert fit_particle_mixture(scores) is None


@pytest.mark.parametrize(
    ("values", "mode"), [([4.0], 4), ([1, 2, 2.2, 9], 2.1), ([5, 5, 5, 1, 9], 5)]
)
def test_half_sample_mode(values, mode):
    assert half_sample_mode(np.array(values, dtype=float)) == pytest.approx(mode)

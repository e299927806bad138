"""Objectives for positives and unlabelled regions, against slow plain versions."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from deepconsensus_plugin.core.pickers.topaz.losses import (
    PositiveUnlabelledLoss,
    ge_binomial_loss,
    ge_kl_loss,
    nnpu_loss,
    pn_loss,
)
from deepconsensus_plugin.core.pickers.topaz.parameters import Objective

PRIOR = 0.1
LOSSES = (pn_loss, nnpu_loss, ge_kl_loss, ge_binomial_loss)
EVERY_LOSS = pytest.mark.parametrize("loss", LOSSES)


def batch(n_positive=5, n_unlabelled=30, n_negative=0, *, seed=0):
    """Return targets and logits in float64, in random order, shape (batch, 1)."""
    rng = np.random.default_rng(seed)
    counts = {1.0: n_positive, 0.0: n_unlabelled, -1.0: n_negative}
    targets = rng.permutation(np.repeat(list(counts), list(counts.values())))
    logits = rng.normal(2 * targets - 1.0, 1.5)
    return targets[:, None], logits[:, None]


def value(loss, targets, logits, **options):
    result = loss(tf.constant(targets), tf.constant(logits), prior=PRIOR, **options)
    return float(result)


def gradient(loss, targets, logits):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        result = loss(tf.constant(targets), logits, prior=PRIOR)
    return tape.gradient(result, logits).numpy()


def cross_entropy(logit, label):
    probability = 1 / (1 + np.exp(-logit))
    return -np.log(probability if label else 1 - probability)


def plain_labelled(targets, logits):
    labelled = [
        (g, t > 0) for t, g in zip(targets[:, 0], logits[:, 0], strict=True) if t != 0
    ]
    return np.mean([cross_entropy(g, label) for g, label in labelled])


def plain_pn(targets, logits):
    unlabelled = [cross_entropy(g, 0) for g in logits[targets == 0]]
    return PRIOR * plain_labelled(targets, logits) + (1 - PRIOR) * np.mean(unlabelled)


def plain_negative_risk(targets, logits):
    unlabelled = [cross_entropy(g, 0) for g in logits[targets == 0]]
    positive = [cross_entropy(g, 0) for g in logits[targets == 1]]
    return np.mean(unlabelled) - PRIOR * np.mean(positive)


def plain_nnpu(targets, logits):
    risk = plain_negative_risk(targets, logits)
    return PRIOR * plain_labelled(targets, logits) + max(0, risk)


def plain_ge_kl(targets, logits):
    mean = scipy.special.expit(logits[targets == 0]).mean()
    divergence = mean * np.log(mean / PRIOR)
    divergence += (1 - mean) * np.log((1 - mean) / (1 - PRIOR))
    return plain_labelled(targets, logits) + 10 * divergence


def plain_ge_binomial(targets, logits):
    g = scipy.special.expit(logits[targets == 0])
    counts = np.arange(len(g) + 1)
    q = scipy.stats.norm.pdf(counts, g.sum(), np.sqrt((g * (1 - g)).sum()))
    log_p = scipy.stats.binom.logpmf(counts, len(g), PRIOR)
    return plain_labelled(targets, logits) - (q / q.sum()) @ log_p


PLAIN = dict(
    zip(LOSSES, (plain_pn, plain_nnpu, plain_ge_kl, plain_ge_binomial), strict=True)
)


@EVERY_LOSS
@pytest.mark.parametrize("counts", [(5, 30, 0), (1, 255, 0), (8, 20, 6), (30, 3, 3)])
def test_equals_a_plain_version(loss, counts):
    targets, logits = batch(*counts)

    expected = PLAIN[loss](targets, logits)

    assert value(loss, targets, logits) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@EVERY_LOSS
def test_single_precision_agrees_with_double(loss):
    targets, logits = batch(16, 240)
    single = value(loss, targets.astype(np.float32), logits.astype(np.float32))

    assert single == pytest.approx(value(loss, targets, logits), rel=1e-5)


@EVERY_LOSS
def test_gradient_is_that_of_finite_differences(loss):
    targets, logits = batch(4, 12, 3)
    step = 1e-5
    expected = [
        (value(loss, targets, logits + d) - value(loss, targets, logits - d)) / 2 / step
        for d in step * np.eye(len(logits))[:, :, None]
    ]

    np.testing.assert_allclose(
        gradient(loss, targets, logits)[:, 0], expected, atol=1e-8, rtol=1e-6
    )


def test_nnpu_climbs_out_of_a_negative_risk():
    targets, logits = batch(6, 12)
    logits = np.where(targets == 1, 12.0, -8.0)  # overfitted: positives are certain
    step = 1e-5
    risk_gradient = [
        (
            plain_negative_risk(targets, logits + d)
            - plain_negative_risk(targets, logits)
        )
        / step
        for d in step * np.eye(len(logits))[:, :, None]
    ]

    assert plain_negative_risk(targets, logits) < 0
    assert value(nnpu_loss, targets, logits) == pytest.approx(
        PRIOR * plain_labelled(targets, logits)
    )
    np.testing.assert_allclose(
        gradient(nnpu_loss, targets, logits)[:, 0],
        np.negative(risk_gradient),
        atol=1e-5,
    )


@EVERY_LOSS
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("size", [30.0, 200.0])
def test_certain_regions_leave_value_and_gradient_finite(loss, sign, size):
    targets, logits = batch(16, 240)
    logits = (sign * size * np.where(targets == 1, -1, 1)).astype(np.float32)
    targets = targets.astype(np.float32)

    assert np.isfinite(value(loss, targets, logits))
    assert np.isfinite(gradient(loss, targets, logits)).all()


@EVERY_LOSS
@pytest.mark.parametrize("counts", [(4, 0), (0, 4)])
def test_batch_of_one_kind_leaves_out_the_other_term(loss, counts):
    targets, logits = batch(*counts)

    assert np.isfinite(value(loss, targets, logits))
    assert np.isfinite(gradient(loss, targets, logits)).all()


@pytest.mark.parametrize("loss", [ge_kl_loss, ge_binomial_loss])
def test_generalised_expectation_is_least_at_the_prior(loss):
    targets = np.zeros((200, 1))
    priors = np.array([0.02, 0.05, 0.1, 0.2, 0.4])

    values = [
        value(loss, targets, np.full_like(targets, scipy.special.logit(p)))
        for p in priors
    ]

    assert priors[np.argmin(values)] == PRIOR


@pytest.mark.parametrize("loss", [ge_kl_loss, ge_binomial_loss])
def test_strength_multiplies_the_expectation_term(loss):
    targets, logits = batch()
    without, once, twice = (value(loss, targets, logits, strength=s) for s in (0, 1, 2))

    assert without == pytest.approx(plain_labelled(targets, logits))
    assert twice - once == pytest.approx(once - without)


def exact_count_probability(probabilities):
    """Return the Poisson-binomial distribution, one region after another."""
    counts = np.ones(1)
    for p in probabilities:
        counts = np.convolve(counts, [1 - p, p])
    return counts


def test_gaussian_count_is_close_to_the_exact_one():
    rng = np.random.default_rng(3)
    g = rng.uniform(0.1, 0.9, 20)
    targets = np.zeros((20, 1))
    log_p = scipy.stats.binom.logpmf(np.arange(21), 20, PRIOR)
    exact = -exact_count_probability(g) @ log_p

    ours = value(ge_binomial_loss, targets, scipy.special.logit(g)[:, None])

    assert ours == pytest.approx(exact, rel=0.005)


def test_order_and_labelled_regions_do_not_change_the_expectation_term():
    targets, logits = batch(0, 12)
    order = np.random.default_rng(1).permutation(12)
    alone = value(ge_binomial_loss, targets, logits)
    certain = (np.ones((5, 1)), np.full((5, 1), 60.0))  # labelled loss is 0
    more_targets = np.concatenate([certain[0], targets[order]])
    more_logits = np.concatenate([certain[1], logits[order]])

    assert value(ge_binomial_loss, more_targets, more_logits) == pytest.approx(alone)


@pytest.mark.parametrize("objective", Objective)
def test_class_is_the_function_and_learns(objective):
    targets, _ = batch(16, 48, seed=4)
    features = np.random.default_rng(5).normal(3 * targets, 1.0)
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    loss = PositiveUnlabelledLoss(objective, prior=PRIOR)
    network.compile(keras.optimizers.Adam(0.05), loss, jit_compile=False)

    plain = value(LOSSES[list(Objective).index(objective)], targets, features)
    losses = [network.train_on_batch(features, targets) for _ in range(60)]

    assert float(loss(targets, features)) == pytest.approx(plain, rel=1e-5)
    assert float(losses[-1]) < float(losses[0])


def test_unusable_parameters_are_named():
    targets, logits = batch()
    with pytest.raises(ValueError, match="between 0 and 1, received 0"):
        pn_loss(targets, logits, prior=0)
    with pytest.raises(ValueError, match="NNPU has no strength"):
        PositiveUnlabelledLoss(Objective.NNPU, prior=0.1, strength=2)
    unknown = tf.function(
        lambda x: ge_binomial_loss(x, x, prior=0.1)
    ).get_concrete_function
    with pytest.raises(ValueError, match="fixed size"):
        unknown(tf.TensorSpec((None, 1)))

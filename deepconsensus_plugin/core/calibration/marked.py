# SPDX-License-Identifier: GPL-3.0-or-later
"""Probabilities and expected figures corrected by labels that a person gave.

What votes, scores and averages tell is weighed by constants learnt on simulated truth
(`likeness`). On a sample of which some candidates are labelled, the same weights are
fitted to the labels: a logistic regression whose prior is those constants, as sure of
them as they were right on other sets. Weights of single scores and pickers, 0 without
labels, let it hear that one of them is better or worse than the fusion thought. Labels
are wrong now and then, and the regression knows how often (docs/review.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from deepconsensus_plugin.core.marks.matching import Labels
from deepconsensus_plugin.core.types import FloatArray

MARK_ERROR = 0.05
"""Share of a person's marks that are wrong."""

MOST_SHARED = 200
"""Number of marks that labels from a selection of classes count as, at most, however
many they are: a class is right or wrong as a whole."""

_LEAST_ERROR = 1e-6


@dataclass(frozen=True, eq=False)
class Weighing:
    """Evidence as numbers, with what is known of their weights before any label.

    Parameters
    ----------
    features : array, shape (n, f)
        One row a candidate.
    mean, deviation : arrays, shape (f,)
        Prior of the weights: normal, independent.
    """

    features: FloatArray
    mean: FloatArray
    deviation: FloatArray


@dataclass(frozen=True, eq=False)
class LabelledFit:
    """Weights fitted to labels.

    Parameters
    ----------
    weighing : Weighing
        What was fitted.
    weights : array, shape (f,)
        The most probable ones.
    covariance : array, shape (f, f)
        Of the posterior, by Laplace's approximation.
    """

    weighing: Weighing
    weights: FloatArray
    covariance: FloatArray

    @property
    def probability(self) -> FloatArray:
        """Probability of each candidate by its evidence alone, shape (n,)."""
        return np.asarray(expit(self.weighing.features @ self.weights))

    def draw(self, n_draws: int, rng: np.random.Generator) -> FloatArray:
        """Return weights drawn from the posterior, shape (n_draws, f)."""
        return rng.multivariate_normal(
            self.weights, self.covariance, size=n_draws, method="cholesky"
        )


def reliability_of(labels: Labels) -> FloatArray:
    """Return the probability that each label is right, shape (m,), above one half."""
    return 0.5 + labels.belief * (0.5 - MARK_ERROR)


def _weight_of(labels: Labels) -> FloatArray:
    """Return how often each label counts, shape (m,): once, but for shared ones."""
    is_shared = labels.belief < 1
    share = min(1.0, MOST_SHARED / max(int(is_shared.sum()), 1))
    return np.where(is_shared, share, 1.0)


def fit_labels(weighing: Weighing, labels: Labels) -> LabelledFit:
    """Return the weights that fit labels and prior best.

    Parameters
    ----------
    weighing : Weighing
        n candidates.
    labels : Labels
        Of some of them; may be none.
    """
    features = weighing.features[labels.rows]
    right, weight = reliability_of(labels), _weight_of(labels)
    precision = 1 / weighing.deviation**2

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        marked, slope = _marked_good(features @ weights, right)
        told = np.where(labels.is_particle, marked, 1 - marked)
        off = weights - weighing.mean
        value = -(weight @ np.log(told)) + (precision * off**2).sum() / 2
        gradient = weight * np.where(labels.is_particle, -1, 1) * slope / told
        return float(value), features.T @ gradient + precision * off

    found = minimize(loss, weighing.mean, jac=True, method="BFGS").x
    marked, slope = _marked_good(features @ found, right)
    information = weight * slope**2 / (marked * (1 - marked))
    curvature = (features * information[:, np.newaxis]).T @ features
    covariance = np.linalg.inv(curvature + np.diag(precision))
    return LabelledFit(weighing, np.asarray(found), (covariance + covariance.T) / 2)


def _marked_good(odds: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the probability of a good mark, and its slope over the log-odds."""
    probability = expit(odds)
    marked = (1 - right) + (2 * right - 1) * probability
    slope = (2 * right - 1) * probability * (1 - probability)
    return np.clip(marked, _LEAST_ERROR, 1 - _LEAST_ERROR), slope


def apply_labels(probability: FloatArray, labels: Labels) -> FloatArray:
    """Return probabilities that also know the labels of single candidates, shape (n,).

    By Bayes' rule; and what a person looked at and is fully believed is at least as
    probable as such marks are right, whatever the evidence says.
    """
    right = reliability_of(labels)
    evidence = probability[labels.rows]
    good, bad = evidence * right, (1 - evidence) * (1 - right)
    if_good = good / (good + bad)
    good, bad = evidence * (1 - right), (1 - evidence) * right
    if_bad = good / (good + bad)
    is_sure = labels.belief >= 1
    if_good = np.where(is_sure, np.maximum(if_good, right), if_good)
    if_bad = np.where(is_sure, np.minimum(if_bad, 1 - right), if_bad)
    corrected = probability.copy()
    corrected[labels.rows] = np.where(labels.is_particle, if_good, if_bad)
    return corrected

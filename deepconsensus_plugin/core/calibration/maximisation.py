# SPDX-License-Identifier: GPL-3.0-or-later
"""Maximisation step (M-step) of the latent trait model.

Components are particles at each of the q nodes of the latent trait u, then the other
places at each node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from deepconsensus_plugin.core.calibration.parameters import (
    QUADRATURE_NODES,
    QUADRATURE_WEIGHTS,
    Parameters,
    Priors,
)
from deepconsensus_plugin.core.types import FloatArray

_FALSE_INTERCEPTS = tuple(logit([1e-4, 0.95]))
"""Bounds of the intercepts, so that no vote is conclusive."""
_POINTS = len(QUADRATURE_NODES)
_SCORE_WEIGHT = 1.0
"""Pseudo-candidates at the median score, for components that are empty."""
_VARIANCE_WEIGHT = 5.0
"""Pseudo-candidates of variance 1, the variance over all candidates."""
_NEWTON_STEPS = 3


@dataclass(frozen=True, eq=False)
class ExpectedStatistics:
    """Expected sufficient statistics of each of the 2q components.

    Parameters
    ----------
    places : array, shape (2q,)
        Places, including those that no picker found.
    found, looked : arrays, shape (k, 2q)
        Places that each picker found, and those it had a chance to.
    scored, sums, squares : arrays, shape (f, 2q)
        Candidates with a score of each kind; sums of the scores and of their squares.
    """

    places: FloatArray
    found: FloatArray
    looked: FloatArray
    scored: FloatArray
    sums: FloatArray
    squares: FloatArray


def maximise(
    expected: ExpectedStatistics, *, start: Parameters, priors: Priors
) -> Parameters:
    """Return the most probable parameters; the search begins at `start`."""
    n_true = expected.places[:_POINTS].sum()
    n_false = expected.places[_POINTS:].sum()
    true_means, score_slopes, false_means = _fit_means(expected)
    return replace(
        start,
        prevalence=float(
            (n_true + priors.prevalence) / (n_true + n_false + 2 * priors.prevalence)
        ),
        intercepts=_fit_true_votes(expected, start, priors),
        false_intercepts=_fit_false_votes(expected, start, priors),
        true_means=true_means,
        score_slopes=score_slopes,
        false_means=false_means,
        deviations=_fit_deviations(expected, true_means, score_slopes, false_means),
    )


def _fit_true_votes(
    expected: ExpectedStatistics, start: Parameters, priors: Priors
) -> FloatArray:
    """Return the intercepts of particles; their prior is normal about 0."""
    return _fit_intercepts(
        _shared(expected.found[:, :_POINTS], start),
        _shared(expected.looked[:, :_POINTS], start),
        start.intercepts,
        slope=start.heterogeneity,
        precision=1 / priors.intercept_deviation**2,
    )


def _fit_false_votes(
    expected: ExpectedStatistics, start: Parameters, priors: Priors
) -> FloatArray:
    """Return the intercepts of non-particles; the prior counts as observed places."""
    places = priors.false_rate_weight * QUADRATURE_WEIGHTS
    intercepts = _fit_intercepts(
        _shared(expected.found[:, _POINTS:], start) + priors.false_rate * places,
        _shared(expected.looked[:, _POINTS:], start) + places,
        start.false_intercepts,
        slope=start.false_heterogeneity,
        precision=0.0,
    )
    return np.clip(intercepts, *_FALSE_INTERCEPTS)


def _shared(counts: FloatArray, start: Parameters) -> FloatArray:
    """Return each picker's counts plus the pooled share of the others' counts."""
    others: FloatArray = counts.sum(axis=0) - counts
    return np.asarray(counts + start.rate_pooling * others)


def _fit_intercepts(
    found: FloatArray,
    looked: FloatArray,
    intercepts: FloatArray,
    *,
    slope: float,
    precision: float,
) -> FloatArray:
    """Return intercepts: logistic regression with known slope, by Newton's method."""
    for _ in range(_NEWTON_STEPS):
        rate = expit(intercepts[:, np.newaxis] + slope * QUADRATURE_NODES)
        gradient = (found - looked * rate).sum(axis=1) - precision * intercepts
        curvature = (looked * rate * (1 - rate)).sum(axis=1) + precision
        intercepts = intercepts + np.clip(gradient / curvature, -1, 1)
    return intercepts


def _fit_means(
    expected: ExpectedStatistics,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means at u = 0, slopes on u, and means of non-particles.

    Linear regression, under two constraints: the slope on the latent trait is not
    negative, and particles have no lower mean than the rest. Where the candidates
    contradict the second one, both means are the same: the score is not informative.
    """
    n, total = expected.scored[:, :_POINTS], expected.sums[:, :_POINTS]
    n_0, n_1, n_2 = (
        n.sum(axis=1) + _SCORE_WEIGHT,
        n @ QUADRATURE_NODES,
        n @ QUADRATURE_NODES**2 + _SCORE_WEIGHT,
    )
    x_0, x_1 = total.sum(axis=1), total @ QUADRATURE_NODES
    slopes = np.maximum((n_0 * x_1 - n_1 * x_0) / (n_0 * n_2 - n_1**2), 0.0)
    true_means = (x_0 - slopes * n_1) / n_0
    n_false = expected.scored[:, _POINTS:].sum(axis=1) + _SCORE_WEIGHT
    false_means = expected.sums[:, _POINTS:].sum(axis=1) / n_false
    wrong = false_means > true_means
    pooled = (true_means * n_0 + false_means * n_false) / (n_0 + n_false)
    return (
        np.where(wrong, pooled, true_means),
        slopes,
        np.where(wrong, pooled, false_means),
    )


def _fit_deviations(
    expected: ExpectedStatistics,
    true_means: FloatArray,
    slopes: FloatArray,
    false_means: FloatArray,
) -> FloatArray:
    """Return the deviation of every score from its component's mean.

    One for all components: the likelihood ratio of a score is then monotone in it.
    """
    true = true_means[:, np.newaxis] + np.outer(slopes, QUADRATURE_NODES)
    false = np.repeat(false_means[:, np.newaxis], _POINTS, axis=1)
    means = np.column_stack([true, false])
    squares = expected.squares - 2 * means * expected.sums + means**2 * expected.scored
    counts = expected.scored.sum(axis=1) + _VARIANCE_WEIGHT
    return np.asarray(np.sqrt((squares.sum(axis=1) + _VARIANCE_WEIGHT) / counts))

# SPDX-License-Identifier: GPL-3.0-or-later
"""The maximisation step: parameters from the expected statistics of each component.

Components are particles at each point of ease (q of them) and, last, no particle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from deepconsensus_plugin.core.calibration.parameters import EASE, Parameters, Priors
from deepconsensus_plugin.core.types import FloatArray

_RATES = (1e-4, 0.95)
"""Bounds of false rates, so that no vote is a proof."""
_SCORE_WEIGHT = 1.0
"""Pseudo-candidates at the median score, for components that are empty."""
_VARIANCE_WEIGHT = 5.0
"""Pseudo-candidates of variance 1, the variance over all candidates."""
_NEWTON_STEPS = 3
_IDENTIFIABLE = 3
"""Pickers whose votes tell each one's rates (Hui and Walter, 1980). The votes of two
fill three cells, for five unknowns: one rate of each kind then serves both."""


@dataclass(frozen=True, eq=False)
class ExpectedStatistics:
    """What is expected in each component, q + 1 of them.

    Parameters
    ----------
    places : array, shape (q + 1,)
        Places, those that nobody found included.
    found, looked : arrays, shape (k, q + 1)
        Places that each picker found, and those it had a chance to.
    scored, sums, squares : arrays, shape (f, q + 1)
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
    n_true, n_false = expected.places[:-1].sum(), expected.places[-1]
    found, looked = _pooled_if_few(expected.found), _pooled_if_few(expected.looked)
    false_hits = found[:, -1] + priors.false_rate * priors.false_rate_weight
    false_looks = looked[:, -1] + priors.false_rate_weight
    true_means, score_slopes, false_means = _fit_means(expected)
    return Parameters(
        prevalence=float(
            (n_true + priors.prevalence) / (n_true + n_false + 2 * priors.prevalence)
        ),
        heterogeneity=start.heterogeneity,
        intercepts=_fit_votes(found[:, :-1], looked[:, :-1], start, priors),
        false_rates=np.clip(false_hits / false_looks, *_RATES),
        true_means=true_means,
        score_slopes=score_slopes,
        false_means=false_means,
        deviations=_fit_deviations(expected, true_means, score_slopes, false_means),
    )


def _pooled_if_few(counts: FloatArray) -> FloatArray:
    """Return counts by picker, the same for all where they cannot be told apart."""
    if len(counts) >= _IDENTIFIABLE:
        return counts
    return np.broadcast_to(counts.sum(axis=0), counts.shape)


def _fit_votes(
    found: FloatArray, looked: FloatArray, start: Parameters, priors: Priors
) -> FloatArray:
    """Return intercepts: logistic regression with known slope, by Newton's method."""
    precision = 1 / priors.intercept_deviation**2
    intercepts = start.intercepts
    for _ in range(_NEWTON_STEPS):
        rate = expit(intercepts[:, np.newaxis] + start.heterogeneity * EASE)
        gradient = (found - looked * rate).sum(axis=1) - precision * intercepts
        curvature = (looked * rate * (1 - rate)).sum(axis=1) + precision
        intercepts = intercepts + np.clip(gradient / curvature, -1, 1)
    return intercepts


def _fit_means(
    expected: ExpectedStatistics,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means at ease 0, slopes on ease, and means of what is no particle.

    Linear regression, under two constraints: an easier particle has no lower score, and
    particles have no lower mean than the rest; where the candidates say otherwise, the
    score says nothing.
    """
    n, total = expected.scored[:, :-1], expected.sums[:, :-1]
    n_0, n_1, n_2 = n.sum(axis=1) + _SCORE_WEIGHT, n @ EASE, n @ EASE**2 + _SCORE_WEIGHT
    x_0, x_1 = total.sum(axis=1), total @ EASE
    slopes = np.maximum((n_0 * x_1 - n_1 * x_0) / (n_0 * n_2 - n_1**2), 0.0)
    true_means = (x_0 - slopes * n_1) / n_0
    n_false = expected.scored[:, -1] + _SCORE_WEIGHT
    false_means = expected.sums[:, -1] / n_false
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
    means = np.column_stack(
        [true_means[:, np.newaxis] + np.outer(slopes, EASE), false_means]
    )
    squares = expected.squares - 2 * means * expected.sums + means**2 * expected.scored
    counts = expected.scored.sum(axis=1) + _VARIANCE_WEIGHT
    return np.asarray(np.sqrt((squares.sum(axis=1) + _VARIANCE_WEIGHT) / counts))

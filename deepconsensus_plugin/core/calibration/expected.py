# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected precision, recall and counts, computed from probabilities without truth.

The expected number of particles among candidates is the sum of their probabilities.
Recall is relative to the particles *among the candidates*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.metrics.classification import rank_scores
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ExpectedCounts:
    """Expected counts at each of t thresholds.

    Parameters
    ----------
    thresholds : array, shape (t,)
        Lowest probability that is accepted.
    n_accepted, n_true : arrays, shape (t,)
        Accepted candidates, and the expected number of particles among them.
    n_particles : float
        Expected number of particles among all candidates.
    """

    thresholds: FloatArray
    n_accepted: FloatArray
    n_true: FloatArray
    n_particles: float

    @property
    def precision(self) -> FloatArray:
        """Expected precision, shape (t,); NaN where nothing is accepted."""
        return _ratio(self.n_true, self.n_accepted)

    @property
    def recall(self) -> FloatArray:
        """Expected share of the particles among the candidates, shape (t,)."""
        return _ratio(self.n_true, np.full_like(self.n_true, self.n_particles))

    def f_beta(self, beta: float = 1.0) -> FloatArray:
        """Return the F-measure in which recall counts `beta` times precision, (t,).

        The ratio of the expectations, which is the expectation of the ratio but for
        terms of the order of 1 / n (Ye *et al.*, 2012).
        """
        square = beta**2
        return _ratio(
            (1 + square) * self.n_true, self.n_accepted + square * self.n_particles
        )


def count_expected(probability: FloatArray) -> ExpectedCounts:
    """Return the expected counts at every distinct probability, descending.

    Raises
    ------
    ValueError
        If a probability is not between 0 and 1.
    """
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            "expected probabilities between 0 and 1, received "
            f"{probability.min()} to {probability.max()}"
        )
    order, last = rank_scores(probability)
    ranked = probability[order]
    return ExpectedCounts(
        thresholds=ranked[last],
        n_accepted=last + 1.0,
        n_true=np.cumsum(ranked)[last],
        n_particles=float(ranked.sum()),
    )


def count_expected_above(
    thresholds: FloatArray,
    score: FloatArray,
    *,
    probability: FloatArray,
    weights: FloatArray | IntArray | None = None,
) -> ExpectedCounts:
    """Return the expected counts where those with a high enough score are accepted.

    Parameters
    ----------
    thresholds : array, shape (t,)
        Ascending.
    score, probability : arrays, shape (n,)
        Score that selects, and probability that is summed; equal in a final result,
        two estimates of the probability in a bootstrap.
    weights : array, shape (n,), optional
        How often each candidate counts; default once.
    """
    weight = np.ones(len(score)) if weights is None else weights
    highest = np.searchsorted(thresholds, score, side="right")

    def above(values: FloatArray | IntArray) -> FloatArray:
        counts = np.bincount(highest, values, minlength=len(thresholds) + 1)
        return np.asarray(np.cumsum(counts[::-1])[::-1][1:])

    return ExpectedCounts(
        thresholds=thresholds,
        n_accepted=above(weight),
        n_true=above(weight * probability),
        n_particles=float(np.sum(weight * probability)),
    )


def expected_figures(
    probability: FloatArray, accepted: BoolArray
) -> tuple[float | None, float | None]:
    """Return expected precision and recall of what is accepted.

    Parameters
    ----------
    probability : array, shape (n,)
        NaN for candidates that have none; they are not accepted.
    accepted : array, shape (n,), bool
        Which are.

    Returns
    -------
    tuple of float
        None where not defined: nothing is accepted, or nothing is expected.
    """
    n_accepted, n_true = int(accepted.sum()), float(probability[accepted].sum())
    n_particles = float(np.nansum(probability))
    return (
        n_true / n_accepted if n_accepted else None,
        n_true / n_particles if n_particles else None,
    )


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    positive: BoolArray = whole > 0
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=positive)

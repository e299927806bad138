# SPDX-License-Identifier: GPL-3.0-or-later
"""Opinion of a witness, a scorer that knows neither picks nor votes, in the fusion.

A witness does not help to find the parameters of the model. How well its score
separates particles from other places is estimated by what votes and the other scores
make of the candidates, and is then applied once to their probabilities. In a joint fit,
a witness whose scores form two clusters would define what a particle is.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import normal_quantiles
from deepconsensus_plugin.core.calibration.parameters import QUADRATURE_NODES
from deepconsensus_plugin.core.types import FloatArray

_MEAN_WEIGHT = 1.0
"""Pseudo-candidates at the median, for classes that are empty."""
_VARIANCE_WEIGHT = 5.0
"""Pseudo-candidates of variance 1, the variance over all candidates."""

_POINTS = len(QUADRATURE_NODES)


def hear_witness(
    membership: FloatArray, witness: FloatArray, weight: FloatArray
) -> FloatArray:
    """Return the probability that each candidate is a particle, with a witness.

    Given the class and the latent trait, the witness's score is normal, with a mean
    that may rise with the trait of particles: what is hard for pickers is hard for the
    witness. Where particles have no higher scores than the rest, it says nothing.

    Parameters
    ----------
    membership : array, shape (n, 2q)
        Probability of each candidate in each component, without the witness: particles
        at each quadrature node, then other places at each.
    witness : array, shape (n,)
        Scores of the witness; only their order is used. NaN where missing.
    weight : array, shape (n,)
        How often each candidate counts.

    Returns
    -------
    array, shape (n,)
        0 to 1; unchanged where the witness has no score.
    """
    heard = np.isfinite(witness)
    without = membership[:, :_POINTS].sum(axis=1)
    if not heard.any():
        return without
    scores = normal_quantiles(witness[:, np.newaxis])[heard, 0]
    known = membership[heard]
    means, variance = _fit(known * weight[heard, np.newaxis], scores)
    log_density = -((scores[:, np.newaxis] - means) ** 2) / (2 * variance)
    log_density -= log_density.max(axis=1, keepdims=True)
    joint = known * np.exp(log_density)
    with_it: FloatArray = joint[:, :_POINTS].sum(axis=1) / joint.sum(axis=1)
    probability = without.copy()
    probability[heard] = with_it
    return np.asarray(probability)


def _fit(counts: FloatArray, scores: FloatArray) -> tuple[FloatArray, float]:
    """Return the mean of the score in each component, shape (2q,), and its variance."""
    n, total, squares = counts.sum(axis=0), scores @ counts, scores**2 @ counts
    nodes = QUADRATURE_NODES
    n_true, true = n[:_POINTS], total[:_POINTS]
    n_0, n_1, n_2 = (
        n_true.sum() + _MEAN_WEIGHT,
        n_true @ nodes,
        n_true @ nodes**2 + _MEAN_WEIGHT,
    )
    x_0, x_1 = true.sum(), true @ nodes
    slope = max((n_0 * x_1 - n_1 * x_0) / (n_0 * n_2 - n_1**2), 0.0)
    mean = (x_0 - slope * n_1) / n_0
    false_mean = total[_POINTS:].sum() / (n[_POINTS:].sum() + _MEAN_WEIGHT)
    if false_mean > mean:
        mean = false_mean = total.sum() / n.sum()
        slope = 0.0
    means = np.append(mean + slope * nodes, np.full(_POINTS, false_mean))
    deviation = (squares - 2 * means * total + means**2 * n).sum()
    variance = (deviation + _VARIANCE_WEIGHT) / (n.sum() + _VARIANCE_WEIGHT)
    return means, float(variance)

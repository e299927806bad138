# SPDX-License-Identifier: GPL-3.0-or-later
"""First averages: boxes that stand for groups of boxes alike in what does not turn."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.averages.polar import ComplexArray
from deepconsensus_plugin.core.types import FloatArray, IntArray

_N_ORDERS = 12
_N_COMPONENTS = 12
_ROUNDS = 15


def choose_seeds(
    coefficients: ComplexArray, n_averages: int, rng: np.random.Generator
) -> IntArray:
    """Return the rows of boxes from which averages are begun, shape (n_averages,).

    The moduli of the coefficients do not change when a box is turned. The boxes are
    grouped by their principal components (k-means), and of every group the box nearest
    to its mean is taken.

    Parameters
    ----------
    coefficients : array, shape (n, rings, orders)
        n >= `n_averages`.
    n_averages : int
        Number of groups.
    rng : numpy.random.Generator
        Source of the first means.
    """
    features = _principal_components(
        np.abs(coefficients[:, :, :_N_ORDERS]).reshape(len(coefficients), -1)
    )
    means = features[rng.choice(len(features), n_averages, replace=False)]
    for _ in range(_ROUNDS):
        group = _distances(features, means).argmin(axis=1)
        for index in range(n_averages):
            members = features[group == index]
            if len(members):
                means[index] = members.mean(axis=0)
    return np.asarray(_distances(features, means).argmin(axis=0))


def _principal_components(features: FloatArray) -> FloatArray:
    centred = features.astype(np.float64) - features.mean(axis=0)
    deviation = centred.std(axis=0)
    centred /= np.where(deviation > 0, deviation, 1)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ vectors[:, : -_N_COMPONENTS - 1 : -1])


def _distances(features: FloatArray, means: FloatArray) -> FloatArray:
    squares = (features**2).sum(axis=1)[:, None] + (means**2).sum(axis=1)
    return np.asarray(squares - 2 * features @ means.T)

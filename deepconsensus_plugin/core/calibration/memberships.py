# SPDX-License-Identifier: GPL-3.0-or-later
"""Expectation step (E-step) of the latent trait model, and its use on all candidates.

Components are particles at each of the q nodes of the latent trait u, then the other
places at each node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.parameters import (
    QUADRATURE_NODES,
    Parameters,
)
from deepconsensus_plugin.core.calibration.sufficient_statistics import (
    natural_parameters,
    sufficient_statistics,
)
from deepconsensus_plugin.core.types import FloatArray

BLOCK = 65_536
"""Candidates that are looked at together: 9 MB of memberships."""


def find_memberships(
    statistics: FloatArray,
    parameters: Parameters,
    log_ratio: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return each candidate's probability of every component, and its log density.

    Parameters
    ----------
    statistics : array, shape (n, 1 + 2k + 3f)
        See `sufficient_statistics`.
    parameters : Parameters
        Of the model.
    log_ratio : array, shape (n,), optional
        What the witness tells; needed where the parameters hear it.

    Returns
    -------
    arrays, shapes (n, 2q) and (n,)
    """
    joint = statistics @ natural_parameters(parameters)
    if parameters.hears_witness and log_ratio is not None:
        joint[:, : len(QUADRATURE_NODES)] += log_ratio[:, np.newaxis]
    highest = joint.max(axis=1, keepdims=True)
    joint -= highest
    np.exp(joint, out=joint)
    total = joint.sum(axis=1, keepdims=True)
    joint /= total
    return joint, (highest + np.log(total))[:, 0]


def find_probabilities(
    evidence: Evidence,
    parameters: Parameters,
    *,
    advance: Callable[[int], object] = int,
) -> FloatArray:
    """Return the probability that each of n candidates is a particle, shape (n,).

    Parameters
    ----------
    evidence : Evidence
        n candidates on the scales that the model was fitted on.
    parameters : Parameters
        Of the model.
    advance : callable
        Receives the number of candidates of each block that is done.
    """
    probability = np.empty(len(evidence))
    for rows in blocks_of(len(evidence)):
        some = evidence.part(rows)
        statistics = sufficient_statistics(some)
        membership, _ = find_memberships(statistics, parameters, some.log_ratio)
        particles = membership[:, : len(QUADRATURE_NODES)]
        probability[rows] = particles.sum(axis=1).clip(0, 1)
        advance(len(some))
    return probability


def blocks_of(n: int) -> Iterator[slice]:
    """Yield n rows as slices of `BLOCK` at most."""
    for first in range(0, n, BLOCK):
        yield slice(first, min(first + BLOCK, n))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Sufficient statistics of the latent trait model, and their natural parameters.

The model is an exponential family: the log likelihood of a candidate in each component
is the product of its statistics and the component's natural parameters.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence, normal_quantiles
from deepconsensus_plugin.core.calibration.parameters import (
    Parameters,
)
from deepconsensus_plugin.core.types import FloatArray


def sufficient_statistics(evidence: Evidence) -> FloatArray:
    """Return the sufficient statistics of each candidate, one column each.

    The columns are 1, votes, observers, presence of scores, scores, and their squares.
    """
    scores = evidence.quantiles
    if scores is None:
        scores = normal_quantiles(evidence.scores, evidence.weight)
    has_score = np.isfinite(scores)
    scores = np.where(has_score, scores, 0.0)
    ones = np.ones((len(evidence), 1))
    columns = (ones, evidence.found, evidence.observed, has_score, scores, scores**2)
    return np.hstack(columns).astype(np.float64)


def natural_parameters(parameters: Parameters) -> FloatArray:
    """Return the coefficient of each statistic in each component's log likelihood.

    Shape (1 + 2k + 3f, 2q).
    """
    rates, means = parameters.find_rates, parameters.score_means
    precision = 1 / parameters.deviations[:, np.newaxis] ** 2
    return np.vstack(
        [
            parameters.log_shares,
            np.log(rates) - np.log1p(-rates),
            np.log1p(-rates),
            np.log(precision) / 2 - means**2 * precision / 2,
            means * precision,
            np.broadcast_to(-precision / 2, means.shape),
        ]
    )

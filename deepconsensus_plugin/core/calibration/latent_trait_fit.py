# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit of the latent trait model."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.calibration.parameters import Parameters
from deepconsensus_plugin.core.types import FloatArray


@dataclass(frozen=True, eq=False)
class LatentTraitFit:
    """Fitted model, and its probabilities for the candidates it was fitted to.

    Parameters
    ----------
    parameters : Parameters
        Parameters at the maximum.
    probability : array, shape (n,)
        Probability that each candidate is a particle, 0 - 1.
    n_missed : float
        Expected number of particles that no picker found.
    log_likelihood : float
        Log-likelihood of the candidates, but for a constant.
    """

    parameters: Parameters
    probability: FloatArray
    n_missed: float
    log_likelihood: float

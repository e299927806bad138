# SPDX-License-Identifier: GPL-3.0-or-later
"""Opinion of a witness in the fusion: a probability that needs no pick and no vote.

Usually it is applied once to what votes and scores give. Where these call far more
candidates particles than the witness does, the agreement of the pickers is no evidence:
the model is then fitted anew with the witness, so that the rates at which pickers find
particles and other places follow from it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from deepconsensus_plugin.core.types import FloatArray

_MOST = 5.0
"""Largest log likelihood ratio of either sign: no opinion is conclusive."""

_CONTRADICTION = 2.0
"""Ratio of two counts of particles from which on they contradict each other."""

_CERTAIN = 1e-9


def log_ratios(witness: FloatArray) -> FloatArray:
    """Return the log likelihood ratio of particle and other place, shape (n,).

    Relative to the mean over the candidates, since the fusion estimates how many of
    them are particles.

    Parameters
    ----------
    witness : array, shape (n,)
        Probabilities; NaN where it tells nothing, which gives 0.
    """
    if np.isnan(witness).all():
        return np.zeros(len(witness))
    ratio = logit(witness) - logit(np.nanmean(witness))
    return np.asarray(np.clip(np.nan_to_num(ratio), -_MOST, _MOST))


def apply_witness(probability: FloatArray, log_ratio: FloatArray) -> FloatArray:
    """Return probabilities multiplied by likelihood ratios, shape (n,)."""
    odds = logit(np.clip(probability, _CERTAIN, 1 - _CERTAIN))
    return np.asarray(expit(odds + log_ratio))


def is_contradicted(
    probability: FloatArray, witness: FloatArray, weight: FloatArray
) -> bool:
    """Return whether a witness counts less than half as many particles.

    Parameters
    ----------
    probability, witness : arrays, shape (n,)
        Probabilities without the witness, and by it; NaN where it tells nothing.
    weight : array, shape (n,)
        How often each candidate counts.
    """
    told = np.isfinite(witness)
    counted = weight[told] @ witness[told]
    return bool(weight[told] @ probability[told] > _CONTRADICTION * counted)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Probability of a particle that the general model's log-odds stand for on a sample.

A network's log-odds mean something else on every sample. What they mean on this one is
told by all maxima of the model on its micrographs, picked or not: a mixture of
particles and an empirical null. No pick, vote or score of another is asked.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import normal_quantiles
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.pipeline.likely_particles import separate_maxima
from deepconsensus_plugin.core.types import FloatArray

_LEAST_PROBABILITY = 1e-4
"""Also the least probability of background: no opinion is conclusive."""

_SAME = 0.95
"""Correlation of the ranks of two scores from which on they are of one picker."""


def find_opinion(
    log_odds: FloatArray, candidates: Candidates, peaks: Path, null: Path
) -> FloatArray | None:
    """Return the probability that each of n candidates is a particle, by the model.

    Parameters
    ----------
    log_odds : array, shape (n,)
        What the general model gives them; NaN where it was not asked.
    candidates : Candidates
        n.
    peaks, null : Path
        Files of the same job, as `separate_maxima` takes them.

    Returns
    -------
    array, shape (n,), or None
        NaN where the model was not asked. None where its scores tell nothing on this
        sample, or where one of the pickers is the same model, which counts already.
    """
    asked = np.isfinite(log_odds)
    if not asked.any() or _is_a_picker(log_odds, candidates):
        return None
    separated = separate_maxima(peaks, null)
    if separated is None:
        return None
    probability = np.full(len(log_odds), np.nan)
    probability[asked] = np.clip(
        separated.mixture.probability(log_odds[asked]),
        _LEAST_PROBABILITY,
        1 - _LEAST_PROBABILITY,
    )
    return probability


def _is_a_picker(log_odds: FloatArray, candidates: Candidates) -> bool:
    """Return whether the scores of a picker are those of the general model."""
    for scores in candidates.picker_scores.T:
        both = np.isfinite(scores) & np.isfinite(log_odds)
        ranks = normal_quantiles(np.column_stack([scores, log_odds])[both])
        spread = np.sqrt((ranks**2).sum(axis=0).prod())
        if spread > 0 and ranks.prod(axis=1).sum() > _SAME * spread:
            return True
    return False

# SPDX-License-Identifier: GPL-3.0-or-later
"""Separation of particles from the rest by the scores of a fitted model."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.parameters import Parameters
from deepconsensus_plugin.core.types import FloatArray


def separation_by_scores(evidence: Evidence, parameters: Parameters) -> float | None:
    """Return the largest distance between the means of both classes, in deviations.

    Parameters
    ----------
    evidence : Evidence
        Candidates, f kinds of score.
    parameters : Parameters
        Of the model that was fitted to them.

    Returns
    -------
    float or None
        The largest of all kinds; None where no candidates differ in any score.
    """
    differs = np.array([_differs(column) for column in evidence.scores.T], dtype=bool)
    gaps = (parameters.true_means - parameters.false_means) / parameters.deviations
    return float(gaps[differs].max()) if differs.any() else None


def _differs(scores: FloatArray) -> bool:
    """Return whether scores differ; NaN where missing."""
    return bool(np.fmax.reduce(scores) > np.fmin.reduce(scores))

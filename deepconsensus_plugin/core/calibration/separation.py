# SPDX-License-Identifier: GPL-3.0-or-later
"""Separation of particles from the rest by the scores of a fitted model."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.parameters import Parameters


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
    is_known = np.isfinite(evidence.scores)
    highest = np.where(is_known, evidence.scores, -np.inf).max(axis=0, initial=-np.inf)
    lowest = np.where(is_known, evidence.scores, np.inf).min(axis=0, initial=np.inf)
    differs = highest > lowest
    gaps = (parameters.true_means - parameters.false_means) / parameters.deviations
    return float(gaps[differs].max()) if differs.any() else None

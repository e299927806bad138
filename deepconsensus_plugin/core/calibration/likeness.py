# SPDX-License-Identifier: GPL-3.0-or-later
"""Likeness to aligned averages in the fusion, and how far agreement misleads.

What all pickers and networks take for a particle is often a broken or a touching one,
a piece of carbon or a peak of noise: their errors are alike, and probabilities made
from votes and scores are too sure. A box that holds less of an average than particles
do is less likely one. How much less, and how sure votes and scores may be, was learnt
from simulated micrographs with truth, of other molecules than any test
(``python -m benchmarks.averages.trust``; docs/averages.md).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from deepconsensus_plugin.core.averages.kinds import relative_amplitude
from deepconsensus_plugin.core.types import FloatArray

TRUST = 0.24
"""Weight of the log-odds that votes and scores give."""
BELOW, ABOVE = 5.5, 4.4
"""Log-odds per typical amplitude, for boxes below and above it."""
LEVEL = 1.1
"""Log-odds of a box of the typical amplitude about which votes and scores tell nothing;
a particle is a whole molecule."""

LEVEL_RANGE = 0.75
"""How far the level of another sample may lie, up or down, log-odds: the root mean
square of what was wrong on eight sets with constants learnt from the other seven each
(docs/averages.md)."""

_MOST_ODDS = 6.0
"""Log-odds of votes and scores beyond which they count as no surer."""
_MOST_RELATIVE = 1.5


def apply_likeness(
    probability: FloatArray, amplitude: FloatArray, weight: FloatArray | None = None
) -> FloatArray:
    """Return probabilities that also tell what aligned averages tell, shape (n,).

    Parameters
    ----------
    probability : array, shape (n,)
        By votes and scores.
    amplitude : array, shape (n,)
        How much of an average each box holds; NaN counts as typical. Where no
        candidate has one, nothing changes.
    weight : array, shape (n,), optional
        How many candidates each stands for.
    """
    if not np.isfinite(amplitude).any():
        return probability
    features = likeness_features(probability, amplitude, weight)
    return np.asarray(expit(features @ np.array([LEVEL, TRUST, BELOW, ABOVE])))


def likeness_features(
    probability: FloatArray, amplitude: FloatArray, weight: FloatArray | None = None
) -> FloatArray:
    """Return 1, log-odds, and amplitude below and above the typical, shape (n, 4).

    See `relative_amplitude`, and `apply_likeness` for the parameters.
    """
    counted = probability if weight is None else weight * probability
    excess = np.nan_to_num(relative_amplitude(amplitude, counted) - 1)
    relative = np.clip(excess, -_MOST_RELATIVE, _MOST_RELATIVE)
    least = expit(-_MOST_ODDS)
    odds = logit(np.clip(probability, least, 1 - least))
    return np.column_stack(
        [
            np.ones(len(odds)),
            odds,
            np.minimum(relative, 0),
            np.maximum(relative, 0),
        ]
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Threshold between the particle and background modes of log-odds scores.

Most of what a network finds is background. Scores below the most frequent one, the
middle of the background, are left out: they form a long tail of places that are clearly
background. The others are a mixture (`log_odds_mixture`) of the background and up to
two Gaussians: particles, and perhaps an intermediate population. Such a background is
an *empirical null* (Efron, *J. Am. Stat. Assoc.* 99, 96, 2004). Particles are the
components above the clearest gap, as in `score_threshold`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.pickers.populations.log_odds_mixture import (
    LogOddsMixture,
    fit_log_odds,
)
from deepconsensus_plugin.core.pickers.populations.score_threshold import (
    CLEAN_SEPARATION,
    FEWEST,
    best_expected_f1,
)
from deepconsensus_plugin.core.types import FloatArray

_SMALLEST_SHARE = 0.005
"""Least share of particles among the scores above the background's middle."""


@dataclass(frozen=True, eq=False)
class ParticleScores:
    """Mixture of log-odds of particles and background; see `fit_particle_mixture`.

    Parameters
    ----------
    mixture : LogOddsMixture
        Fitted mixture of the log-odds.
    first : int
        Particles are the Gaussians from this one on.
    """

    mixture: LogOddsMixture
    first: int

    def probability(self, scores: FloatArray) -> FloatArray:
        """Return the probability that peaks are particles, non-decreasing in the score.

        Parameters
        ----------
        scores : array, shape (n,)
            Log-odds.
        """
        ascending, place = np.unique(scores, return_inverse=True)
        each = self.mixture.responsibilities(ascending)
        share = each[:, 1 + self.first :].sum(axis=1)
        # A wide component must not take scores below the one it is separated from.
        below = np.array([0.0, *self.mixture.means])[self.first]
        share[ascending < self.mixture.middle + below] = 0
        return np.asarray(np.maximum.accumulate(share)[place])

    def find_threshold(self, scores: FloatArray) -> float:
        """Return the threshold of the largest expected F1, log-odds.

        Parameters
        ----------
        scores : array, shape (n,)
            Log-odds of all peaks; n > 0.
        """
        ascending = np.sort(scores)
        return best_expected_f1(ascending, self.probability(ascending))


def fit_particle_mixture(scores: FloatArray) -> ParticleScores | None:
    """Return the mixture of particles and background; None if they do not separate.

    Parameters
    ----------
    scores : array, shape (n,)
        Log-odds of all peaks, most of them background; finite.
    """
    if len(scores) < FEWEST or not np.ptp(scores) > 0:
        return None
    fitted = fit_log_odds(scores)
    above = np.cumsum(fitted.weights[:0:-1])[::-1]
    gaps = np.where(above < _SMALLEST_SHARE, 0, fitted.separations())
    if gaps.max(initial=0) < CLEAN_SEPARATION:
        return None
    return ParticleScores(fitted, int(np.argmax(gaps)))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Threshold between particles and background, from the scores of peaks.

A mixture of up to three Gaussians (a third for contamination, or for a skewed
background) is fitted to the scores, their number by the Bayesian information criterion.
Particles are the components above the clearest gap, which is the largest D of Ashman
*et al.* (1994) between neighbours; D > 2 means that two populations are cleanly
separated. A few peaks far above all others are contamination, not particles. The
threshold is the one with the largest expected F1, computed from each peak's probability
of being a particle.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.pickers.populations.gaussian_mixture import (
    GaussianMixture,
    fit_score_mixture,
)
from deepconsensus_plugin.core.robust import (
    OUTLIER_Z,
    median_and_mad,
)
from deepconsensus_plugin.core.types import FloatArray

_MAX_COMPONENTS = 3

CLEAN_SEPARATION = 2.0
"""Ashman's D above which two populations are cleanly separated."""

_SMALLEST_POPULATION = 0.01
"""Least share of particles among all peaks."""

FEWEST = 30
"""Fewest peaks for a mixture."""


def find_threshold(scores: FloatArray) -> float | None:
    """Return the threshold of the scores of peaks with the largest expected F1.

    Parameters
    ----------
    scores : array, shape (n,)
        Scores of all peaks, noise included; finite, higher is better.

    Returns
    -------
    float or None
        None where the scores do not show two populations.
    """
    if len(scores) < FEWEST or not np.ptp(scores) > 0:
        return None
    best, gaps = _fit_gaps(scores)
    if gaps.max(initial=0) < CLEAN_SEPARATION:
        return None
    first = int(np.argmax(gaps)) + 1
    ascending = np.sort(scores)
    probability = best.responsibilities(ascending)[:, first:].sum(axis=1)
    # A wide component must not claim what lies below the background.
    probability[ascending < best.means[first - 1]] = 0
    return best_expected_f1(ascending, np.maximum.accumulate(probability))


def separation(scores: FloatArray) -> float:
    """Return the separation of two populations: Ashman's D of the clearest gap.

    Parameters
    ----------
    scores : array, shape (n,)
        Scores of all peaks, noise included; finite, higher is better.

    Returns
    -------
    float
        0 where there is one population.
    """
    if len(scores) < FEWEST or not np.ptp(scores) > 0:
        return 0.0
    return float(_fit_gaps(scores)[1].max(initial=0))


def _fit_gaps(scores: FloatArray) -> tuple[GaussianMixture, FloatArray]:
    """Return the best mixture, and D of its gaps, 0 where too few peaks lie above."""
    fits = [fit_score_mixture(scores, k) for k in range(1, _MAX_COMPONENTS + 1)]
    best = min(fits, key=lambda fit: fit.bic)
    above = np.cumsum(best.weights[::-1])[::-1][1:]
    return best, np.where(above < _SMALLEST_POPULATION, 0, best.separations())


def find_upper_threshold(scores: FloatArray) -> float | None:
    """Return the score above which picks have more contrast than particles.

    Gold, ice crystals and the edges of carbon are blobs of any contrast; particles of
    one kind are alike (Voss *et al.*, 2009, leave that threshold to the user).

    Parameters
    ----------
    scores : array, shape (n,)
        Scores of all picks, in units of contrast; finite.

    Returns
    -------
    float or None
        Four robust deviations above their median. None with too few picks.
    """
    if len(scores) < FEWEST:
        return None
    middle, spread = median_and_mad(scores)
    return middle + OUTLIER_Z * spread if spread > 0 else None


def best_expected_f1(ascending: FloatArray, probability: FloatArray) -> float:
    """Return the threshold whose expected F1 is largest.

    Parameters
    ----------
    ascending : array, shape (n,)
        Scores.
    probability : array, shape (n,)
        Probability that each is a particle.
    """
    n_true = np.cumsum(probability[::-1])
    n_accepted = np.arange(1, len(ascending) + 1)
    f1 = 2 * n_true / (n_accepted + n_true[-1])
    return float(ascending[::-1][np.argmax(f1)])

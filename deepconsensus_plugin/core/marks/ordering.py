# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders in which candidates are looked at, so that few marks tell much.

Lists of the uncertain and the informative are drawn by weight, not sorted: neighbours
in a sorted list are alike, and the second one tells what the first one told.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_NEAR = 0.5
"""Log-odds from the threshold over which the weight of a candidate falls by e."""
_MOST_ODDS = 6.0
_CONTRADICTION = 1.0
"""Log weight per deviation by which opinions differ."""


def order_random(
    accepted: BoolArray, seen: BoolArray, rng: np.random.Generator
) -> IntArray:
    """Return what is accepted and was not seen yet, in random order.

    Parameters
    ----------
    accepted, seen : arrays, shape (n,), bool
        What the present choice accepts; what was marked already.
    rng : numpy.random.Generator
        Draws the order.
    """
    return rng.permutation(np.flatnonzero(accepted & ~seen))


def order_uncertain(
    probability: FloatArray,
    threshold: float,
    seen: BoolArray,
    rng: np.random.Generator,
) -> IntArray:
    """Return candidates that were not seen yet, the most uncertain first.

    Parameters
    ----------
    probability : array, shape (n,)
        NaN where there is none; those are left out.
    threshold : float
        Lowest probability that is accepted; the nearer to it, the less certain.
    seen : array, shape (n,), bool
        What was marked already.
    rng : numpy.random.Generator
        Draws the order.
    """
    return _draw(-_distance(probability, threshold) / _NEAR, seen, rng)


def order_informative(
    probability: FloatArray,
    threshold: float,
    contradictions: FloatArray,
    seen: BoolArray,
    rng: np.random.Generator,
) -> IntArray:
    """Return candidates that were not seen yet, the most informative first.

    Those are uncertain, and their votes, networks and averages contradict each other.

    Parameters
    ----------
    probability, threshold, seen, rng
        As for `order_uncertain`.
    contradictions : array, shape (n,)
        See `find_contradictions`.
    """
    weight = -_distance(probability, threshold) / _NEAR
    return _draw(weight + _CONTRADICTION * contradictions, seen, rng)


def find_contradictions(opinions: FloatArray) -> FloatArray:
    """Return by how much opinions on each candidate differ, shape (n,).

    The deviation of their ranks among all candidates from each other, relative to the
    mean; 0 where fewer than two are known.

    Parameters
    ----------
    opinions : array, shape (n, o)
        What each kind of evidence tells, any scale, higher is better; NaN where it
        tells nothing.
    """
    ranks = _rank_shares(opinions)
    known = np.isfinite(ranks)
    count = known.sum(axis=1)
    filled = np.where(known, ranks, 0.0)
    mean = filled.sum(axis=1) / np.maximum(count, 1)
    squares = np.where(known, (filled - mean[:, np.newaxis]) ** 2, 0.0).sum(axis=1)
    spread = np.sqrt(squares / np.maximum(count, 1))
    typical = spread[count > 1].mean() if (count > 1).any() else 0.0
    return np.asarray(spread / typical if typical > 0 else spread)


def _rank_shares(values: FloatArray) -> FloatArray:
    """Return the share of candidates that each value is above, by column, 0 – 1."""
    shares = np.full(values.shape, np.nan)
    for column, own in enumerate(values.T):
        known = np.flatnonzero(np.isfinite(own))
        shares[known, column] = (rankdata(own[known]) - 0.5) / max(len(known), 1)
    return shares


def _distance(probability: FloatArray, threshold: float) -> FloatArray:
    """Return the distance to the threshold in log-odds; NaN without a probability."""
    least = expit(-_MOST_ODDS)
    odds = logit(np.clip(probability, least, 1 - least))
    return np.asarray(np.abs(odds - logit(np.clip(threshold, least, 1 - least))))


def _draw(
    log_weight: FloatArray, seen: BoolArray, rng: np.random.Generator
) -> IntArray:
    """Return the unseen rows with a weight, drawn by it without replacement."""
    rows = np.flatnonzero(~seen & np.isfinite(log_weight))
    # The largest of weights with Gumbel noise are such a sample (Efraimidis and
    # Spirakis, 2006).
    key = log_weight[rows] + rng.gumbel(size=len(rows))
    return rows[np.argsort(-key, kind="stable")]

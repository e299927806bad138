# SPDX-License-Identifier: GPL-3.0-or-later
"""Hard negatives: background that looks like particles, chosen for training.

Deep Consensus, section 2.3: boxes drawn at random are mostly empty; ice and carbon are
rare among them. Without a user's set of such boxes the paper takes the worst 1 % of
the AND set. Ours takes two kinds more: picks that a single picker made and whose box is
an outlier, and places that are outliers by their level, contrast or texture (carbon,
thick ice, padded borders).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import numpy as np

from deepconsensus_plugin.core.negatives.sorting import FEATURES
from deepconsensus_plugin.core.robust import OUTLIER_Z, centre_and_scale
from deepconsensus_plugin.core.types import FloatArray, IntArray

PLACE_FEATURES = ("mean", "log deviation", "log power of band 0")
"""Features that identify carbon, ice and borders: level, contrast, coarse texture."""

_AGREED_QUANTILE = 0.99
"""A single picker's box is an outlier beyond this share of the agreed ones."""


class NegativeKind(Enum):
    """Origin of a negative; the value is its number in files."""

    RANDOM = 0
    SORTED_OUT = 1
    SINGLE_PICKER = 2
    CONTAMINATION = 3
    USER = 4
    DISPLACED = 5


def worst_agreed(zscores: FloatArray, *, fraction: float = 0.01) -> IntArray:
    """Return the agreed particles that are least like the others.

    Parameters
    ----------
    zscores : array, shape (n,)
        Sorting Z-scores of the agreed particles against themselves.
    fraction : float
        Share to return, 0 - 1; rounded to the nearest number of particles.

    Returns
    -------
    array of int
        Their indices, worst first; ties keep their order.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be 0 to 1, received {fraction}")
    count = int(np.floor(fraction * len(zscores) + 0.5))
    return np.asarray(np.argsort(-zscores, kind="stable")[:count])


def outlying_singles(zscores: FloatArray, agreed_zscores: FloatArray) -> IntArray:
    """Return the single-picker candidates whose boxes are unlike agreed ones.

    Parameters
    ----------
    zscores : array, shape (n,)
        Sorting Z-scores of the candidates of one vote, against the agreed particles.
    agreed_zscores : array, shape (m,)
        Those of the agreed particles; without any, no kind can be mined.

    Returns
    -------
    array of int
        Indices of the candidates beyond 99 % of the agreed ones, worst first.
    """
    if not len(agreed_zscores):
        return np.empty(0, dtype=np.intp)
    limit = np.quantile(agreed_zscores, _AGREED_QUANTILE)
    worst_first = np.argsort(-zscores, kind="stable")
    return np.asarray(worst_first[zscores[worst_first] > limit])


def contaminated_places(places: FloatArray, agreed: FloatArray) -> IntArray:
    """Return the places that neither agreed particles nor most places look like.

    Parameters
    ----------
    places : array, shape (n, len(FEATURES))
        `box_features` at places all over the micrographs, away from agreed particles.
    agreed : array, shape (m, len(FEATURES))
        Those of the agreed particles.

    Returns
    -------
    array of int
        Indices of places whose level, contrast or coarse texture is an outlier (the
        same one, beyond `OUTLIER_Z`) among both, worst first. None of either set, and
        there are none.
    """
    if not len(places) or not len(agreed):
        return np.empty(0, dtype=np.intp)
    columns = [FEATURES.index(name) for name in PLACE_FEATURES]
    values = places[:, columns]
    distances = []
    for usual in (agreed[:, columns], values):
        centre, scale = centre_and_scale(usual)
        distances.append(np.abs(values - centre) / scale)
    outlying = np.min(distances, axis=0).max(axis=1)
    worst_first = np.argsort(-outlying, kind="stable")
    return np.asarray(worst_first[outlying[worst_first] > OUTLIER_Z])


def allocate_quota(
    available: Mapping[NegativeKind, int], n_total: int
) -> dict[NegativeKind, int]:
    """Return how many to take of each kind: even shares of `n_total`.

    What a kind does not have goes to the others; the odd ones go to the first kinds.
    """
    shares = dict.fromkeys(available, 0)
    left = min(n_total, sum(available.values()))
    while left:
        open_kinds = [kind for kind, count in available.items() if shares[kind] < count]
        for kind in open_kinds[:left]:
            more = min(max(1, left // len(open_kinds)), available[kind] - shares[kind])
            shares[kind] += more
        left = min(n_total, sum(available.values())) - sum(shares.values())
    return shares

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores that the places of a picker give to coordinates of other origin."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

_NEIGHBOURS = 4
"""Nearest places whose lowest score counts where no place is near enough."""


def scores_at(
    yx: FloatArray, places: ScoredCoordinates, *, radius_px: float
) -> FloatArray:
    """Return the best score of the places that belong to each coordinate.

    A place belongs to the nearest coordinate alone, if it is near enough: a coordinate
    beside a particle does not get the score of that particle.

    Parameters
    ----------
    yx : array, shape (n, 2)
        Coordinates, pixels.
    places : ScoredCoordinates
        Every place that was scored, pixels; finite scores, higher is better.
    radius_px : float
        Largest distance of a place from its coordinate, pixels; >= 0.

    Returns
    -------
    array, shape (n,)
        Of a coordinate to which no place belongs, the lowest score of the four nearest
        places; NaN if there is no place at all.
    """
    if not len(places) or not len(yx):
        return np.full(len(yx), np.nan)
    best = np.full(len(yx), -np.inf)
    distance, owner = cKDTree(yx).query(places.yx)
    is_near = distance <= radius_px
    np.maximum.at(best, owner[is_near], places.scores[is_near])
    without = np.isinf(best)
    n_nearest = min(_NEIGHBOURS, len(places))
    _, nearest = cKDTree(places.yx).query(yx[without], k=[*range(1, n_nearest + 1)])
    best[without] = places.scores[nearest].min(axis=1)
    return best

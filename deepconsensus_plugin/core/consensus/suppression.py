# SPDX-License-Identifier: GPL-3.0-or-later
"""Non-maximum suppression: one coordinate per particle, the one with the best score."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import ScoredCoordinates


def suppress_overlaps(
    picks: ScoredCoordinates, *, radius_px: float
) -> ScoredCoordinates:
    """Keep the best-scored coordinate of every neighbourhood (greedy NMS).

    Parameters
    ----------
    picks : ScoredCoordinates
        Centres ``yx``, shape (n, 2), pixels; ``scores``, shape (n,). NaN is worst.
    radius_px : float
        Centres at this distance or closer overlap; > 0.

    Returns
    -------
    ScoredCoordinates
        A subset of `picks`, best score first; ties keep input order.

    Raises
    ------
    ValueError
        If `radius_px` is not positive.
    """
    if not radius_px > 0:
        raise ValueError(f"radius_px must be > 0, received {radius_px}")
    tree = cKDTree(picks.yx)
    is_free = np.ones(len(picks), dtype=bool)
    kept = []
    for i in np.argsort(-picks.scores, kind="stable"):  # NaN sorts last
        if is_free[i]:
            kept.append(i)
            is_free[tree.query_ball_point(picks.yx[i], radius_px)] = False
    return picks.take(kept)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks of a score map, one per particle."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter

from deepconsensus_plugin.core.consensus.suppression import suppress_overlaps
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    ScoredCoordinates,
)


def find_peaks(
    scores: FloatArray,
    is_usable: BoolArray,
    *,
    radius_px: float,
    lowest: float = 0.0,
    at_borders: bool = False,
) -> ScoredCoordinates:
    """Return the peaks of a map with sub-pixel positions, one per neighbourhood.

    Parameters
    ----------
    scores : array, shape (rows, columns)
        Finite.
    is_usable : array, shape (rows, columns), bool
        Pixels where peaks are accepted.
    radius_px : float
        Of two peaks at this distance or closer the higher one is kept; > 0.
    lowest : float
        Peaks are higher than this.
    at_borders : bool
        Whether peaks on the outermost lines are accepted. They are not if scores may
        rise further beyond the border, as for a particle whose centre lies outside.

    Returns
    -------
    ScoredCoordinates
        Best score first; scores are the values of the map at the pixel of the peak.
    """
    is_top = scores == maximum_filter(scores, size=3)
    is_peak = is_top & (scores > lowest) & is_usable
    if not at_borders:
        is_peak[[0, -1], :] = is_peak[:, [0, -1]] = False
    yx = np.argwhere(is_peak)
    peaks = ScoredCoordinates.from_arrays(_refine(scores, yx), scores[is_peak])
    return suppress_overlaps(peaks, radius_px=radius_px)


def _refine(scores: FloatArray, yx: IntArray) -> FloatArray:
    """Return the vertices of parabolas through each peak and its neighbours, per axis.

    A peak on a border has no neighbour beyond it, and its position is not refined.
    """
    refined = yx.astype(np.float64)
    padded = np.pad(scores, 1, mode="reflect")
    y, x = yx.T + 1
    for axis, (dy, dx) in enumerate(((1, 0), (0, 1))):
        before, after = padded[y - dy, x - dx], padded[y + dy, x + dx]
        curvature = 2 * padded[y, x] - before - after
        is_curved = curvature > 0
        steps = (after - before) / (2 * np.where(is_curved, curvature, 1))
        refined[:, axis] += np.where(is_curved, steps, 0)
    return refined

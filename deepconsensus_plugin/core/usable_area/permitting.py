# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions that an area permits: those of candidates, picks and negatives.

In padding and where there is no signal, nothing was recorded, so that nothing can be
judged there; contamination can be avoided or not.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_NOT_RECORDED = (AreaKind.PADDING, AreaKind.NO_SIGNAL)


def are_recorded(area: UsableArea, yx: FloatArray) -> BoolArray:
    """Return which positions are neither in padding nor without signal, shape (n,).

    Parameters
    ----------
    area : UsableArea
        The mask.
    yx : array, shape (n, 2)
        Pixels of the micrograph.
    """
    return np.asarray(~np.isin(area.kind_at(yx), _NOT_RECORDED))


def distance_of(area: UsableArea, yx: FloatArray) -> FloatArray:
    """Return the distance of each position to the unusable area, shape (n,).

    Parameters
    ----------
    area : UsableArea
        The mask.
    yx : array, shape (n, 2)
        Pixels of the micrograph.

    Returns
    -------
    array, shape (n,), float64
        Pixels: negative on contamination, minus infinity where nothing was recorded,
        infinity where everything is usable.
    """
    distance = area.distance_px(yx)
    return np.where(are_recorded(area, yx), distance, -np.inf)


def are_permitted(distance_px: FloatArray, *, avoid_contamination: bool) -> BoolArray:
    """Return which distances, as `distance_of` gives them, are those of usable places.

    Parameters
    ----------
    distance_px : array, shape (n,)
        Pixels.
    avoid_contamination : bool
        Whether contaminated area counts as unusable.
    """
    return np.asarray(
        distance_px >= 0 if avoid_contamination else distance_px > -np.inf
    )

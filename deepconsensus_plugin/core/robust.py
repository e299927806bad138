# SPDX-License-Identifier: GPL-3.0-or-later
"""Median and MAD: location and scale that outliers do not affect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import FloatArray

OUTLIER_Z = 4.0
"""Robust deviations from the usual within which nothing is an outlier."""

_DEVIATION_PER_MAD = 1.4826
"""Standard deviation of a normal distribution per median absolute deviation."""


def median_and_mad(
    values: FloatArray | NDArray[np.float32],
) -> tuple[float, float]:
    """Return the median, and the deviation that half of the values tell.

    Parameters
    ----------
    values : array, shape (n,), n >= 1
        Finite.

    Returns
    -------
    middle, spread : float
        The spread is 1.4826 × the median absolute deviation, which for a normal
        distribution is the standard deviation; 0 where half of the values are equal.
    """
    middle, spread = _median_and_mad(values)
    return float(middle), float(spread)


def centre_and_scale(columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return `median_and_mad` of each column, with a scale that is never 0.

    Parameters
    ----------
    columns : array, shape (n, c), n >= 1
        Finite.

    Returns
    -------
    centre, scale : array, shape (c,)
        Where half of the values are equal the scale is the standard deviation, and
        where all are equal it is 1.
    """
    centre, spread = _median_and_mad(columns)
    scale = np.where(spread > 0, spread, columns.std(axis=0))
    return centre, np.where(scale > 0, scale, 1.0)


def _median_and_mad(
    values: FloatArray | NDArray[np.float32],
) -> tuple[FloatArray, FloatArray]:
    middle = np.median(values, axis=0)
    deviations = np.abs(values - middle)
    return middle, _DEVIATION_PER_MAD * np.median(deviations, axis=0)

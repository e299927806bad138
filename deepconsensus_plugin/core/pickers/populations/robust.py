# SPDX-License-Identifier: GPL-3.0-or-later
"""Robust location and spread, which outliers do not change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import FloatArray

OUTLIER_Z = 4.0
"""Robust deviations from the usual within which nothing is an outlier."""


def median_and_mad(
    values: FloatArray | NDArray[np.float32],
) -> tuple[float, float]:
    """Return the median, and the scaled median absolute deviation.

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
    middle = np.median(values)
    return float(middle), float(1.4826 * np.median(np.abs(values - middle)))

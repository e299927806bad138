# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of pixels relative to what is usual on their micrograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from deepconsensus_plugin.core.robust import median_and_mad
from deepconsensus_plugin.core.types import BoolArray

Float32Array = NDArray[np.float32]

TINY = np.float32(1e-6)
_MOST_LOG = 3.0


@dataclass(frozen=True, eq=False)
class Usual:
    """Usual values, those of some of the pixels of a micrograph.

    Parameters
    ----------
    is_counted : array, shape (rows, columns), bool
        Pixels that are looked at.
    """

    is_counted: BoolArray

    def middle(self, values: Float32Array) -> np.float32:
        """Return the median."""
        return np.float32(np.median(values[self.is_counted]))

    def in_spreads(self, values: Float32Array) -> Float32Array:
        """Return values in robust deviations from the usual one, compressed."""
        middle, spread = median_and_mad(values[self.is_counted])
        scale = np.float32(spread + TINY)
        return np.asarray(np.arcsinh((values - np.float32(middle)) / scale))

    def log_ratio(self, power: Float32Array) -> Float32Array:
        """Return the logarithm of the root of a power by the usual one."""
        ratio = np.maximum(power / (self.middle(power) + 1e-12), TINY)
        return np.asarray(np.clip(0.5 * np.log(ratio), -_MOST_LOG, _MOST_LOG))

    def rank(self, values: Float32Array) -> Float32Array:
        """Return the rank of values, from -1 to 1."""
        known = np.sort(values[self.is_counted])
        place = np.searchsorted(known, values) / np.float32(len(known))
        return np.asarray(2 * place - 1, np.float32)


def smoothed(values: Float32Array, sigma_px: float) -> Float32Array:
    """Return the Gaussian mean around each pixel."""
    return np.asarray(gaussian_filter(values, sigma_px, truncate=3.0, mode="nearest"))

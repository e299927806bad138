# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes of the small arrays that one piece of matter is drawn in."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import FloatArray


def patch_axes(radius_A: float, rate: float) -> tuple[FloatArray, FloatArray]:
    """Return rows (n, 1) and columns (1, n) of a patch that holds a disc, Å."""
    reach = int(np.ceil(1.2 * radius_A / rate)) + 3
    axis = np.arange(-reach, reach + 1) * rate
    return axis[:, None], axis[None, :]

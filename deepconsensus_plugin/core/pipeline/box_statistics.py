# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixel statistics of all boxes of a micrograph, for particle sorting."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.negatives.sorting import FEATURES, box_features
from deepconsensus_plugin.core.preprocessing import fourier_resize
from deepconsensus_plugin.core.types import FloatArray

_FEATURE_SIZE = 32
"""Boxes are resampled to this many pixels before their statistics are taken."""

_BOXES_AT_ONCE = 256
_PIXEL_STEP = 7
"""Stride of rows and columns that estimate a micrograph's level and deviation."""


def statistics_of_boxes(path: Path, yx: FloatArray, box_size: int) -> FloatArray:
    """Return `box_features`, on the scale of the micrograph's level and deviation.

    Parameters
    ----------
    path : Path
        The micrograph.
    yx : array, shape (n, 2)
        Centres, pixels; boxes may reach over its borders.
    box_size : int
        Pixels.

    Returns
    -------
    array, shape (n, len(FEATURES))
        Finite: pixels that are not count as the micrograph's level.
    """
    pixels = open_micrograph(path)
    some = pixels[::_PIXEL_STEP, ::_PIXEL_STEP].astype(np.float64)
    some = some[np.isfinite(some)]
    level = np.median(some) if some.size else 0.0
    deviation = some.std() if some.size else 0.0
    parts = [np.empty((0, len(FEATURES)))]
    for first in range(0, len(yx), _BOXES_AT_ONCE):
        boxes = extract_boxes(pixels, yx[first : first + _BOXES_AT_ONCE], box_size)
        scaled = (boxes - np.float32(level)) / np.float32(deviation or 1.0)
        scaled = np.where(np.isfinite(scaled), scaled, np.float32(0))
        parts.append(box_features(fourier_resize(scaled, _FEATURE_SIZE)))
    return np.concatenate(parts)

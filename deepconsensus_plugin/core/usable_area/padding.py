# SPDX-License-Identifier: GPL-3.0-or-later
"""Padding at the borders of micrographs: lines that repeat a line or a value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import BoolArray

Float32Array = NDArray[np.float32]

_QUIET = 0.1
"""Ratio to the usual difference of neighbouring lines below which lines are padding."""

_LARGEST_PADDING = 0.25
"""Largest fraction of the micrograph on each side that may be padding."""


def find_padding(image: Float32Array) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the number of padded lines at each border.

    Padding repeats a line or a value, so that neighbouring lines hardly differ. All
    lines outside the innermost such line are padding, too.

    Parameters
    ----------
    image : array, shape (rows, columns)
        Pixels that are not finite are ignored.

    Returns
    -------
    tuple of tuple of int
        Rows before and after, columns before and after.
    """
    return _padding_along(image), _padding_along(image.T)


def _padding_along(image: Float32Array) -> tuple[int, int]:
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        steps = np.abs(np.diff(image, axis=0))
    change = np.where(np.isfinite(steps), steps, 0).mean(axis=1)
    is_quiet = change < _QUIET * np.median(change)
    n_most = int(len(image) * _LARGEST_PADDING)
    return _last(is_quiet[:n_most]), _last(is_quiet[::-1][:n_most])


def _last(is_quiet: BoolArray) -> int:
    """Return the number of lines up to the last pair that hardly differs, inclusive."""
    found = np.flatnonzero(is_quiet)
    return int(found[-1]) + 2 if len(found) else 0

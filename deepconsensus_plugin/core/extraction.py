# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes cut out of a micrograph around coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import FloatArray, IntArray


def extract_boxes(
    micrograph: NDArray[np.generic], yx: FloatArray, box_size: int
) -> NDArray[np.float32]:
    """Return the square boxes centred on `yx`.

    A centre c, rounded to the nearest pixel, gives rows ``c - box_size // 2`` to
    ``c - box_size // 2 + box_size``, likewise columns. What lies outside the
    micrograph is filled with its mirror image, so that every coordinate gets a box
    and the border looks like the noise beside it.

    Parameters
    ----------
    micrograph : array, shape (rows, cols), any real type
        May be memory-mapped: only the boxes are read.
    yx : array, shape (n, 2)
        Centres, pixels.
    box_size : int
        Side of a box, pixels, >= 1.

    Returns
    -------
    array, shape (n, box_size, box_size), float32
        Finite: pixels that are not get the mean of the others of their box, or 0.

    Raises
    ------
    ValueError
        If the micrograph is not 2-D or `box_size` is not positive.
    """
    if micrograph.ndim != 2:
        raise ValueError(f"expected a 2-D micrograph, received {micrograph.shape}")
    if box_size < 1:
        raise ValueError(f"box_size must be >= 1, received {box_size}")
    corners = round_centres(yx) - box_size // 2
    last_corner = np.array(micrograph.shape) - box_size
    inside = ((corners >= 0) & (corners <= last_corner)).all(axis=1)
    boxes = np.empty((len(corners), box_size, box_size), dtype=np.float32)
    for i, (row, col) in enumerate(corners):
        if inside[i]:
            boxes[i] = micrograph[row : row + box_size, col : col + box_size]
        else:
            rows = _mirror(row + np.arange(box_size), micrograph.shape[0])
            cols = _mirror(col + np.arange(box_size), micrograph.shape[1])
            boxes[i] = micrograph[np.ix_(rows, cols)]
    return _fill_holes(boxes)


def _fill_holes(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    finite = np.isfinite(boxes)
    if finite.all():
        return boxes
    n_finite = np.maximum(finite.sum(axis=(1, 2), keepdims=True), 1)
    total = np.where(finite, boxes, 0).sum(axis=(1, 2), keepdims=True, dtype=np.float64)
    return np.where(finite, boxes, (total / n_finite).astype(np.float32))


def round_centres(yx: FloatArray) -> IntArray:
    """Return the pixels nearest to `yx`, halves upwards, shape (n, 2), int64."""
    rounded: IntArray = np.floor(np.asarray(yx) + 0.5).astype(np.int64)
    return rounded


def check_boxes(boxes: FloatArray, *, smallest: int) -> None:
    """Refuse anything but square boxes of at least `smallest` pixels a side.

    Raises
    ------
    ValueError
        If the shape is not ``(n, size, size)``, or the size is below `smallest`.
    """
    if boxes.ndim != 3 or not smallest <= boxes.shape[1] == boxes.shape[2]:
        raise ValueError(
            f"boxes: expected shape (n, size, size), size >= {smallest}, "
            f"received {boxes.shape}"
        )


def _mirror(index: IntArray, length: int) -> IntArray:
    """Reflect indices at both ends (``dcba|abcd|dcba``), as often as needed."""
    folded: IntArray = np.mod(index, 2 * length)
    mirrored: IntArray = 2 * length - 1 - folded
    return np.where(folded < length, folded, mirrored)

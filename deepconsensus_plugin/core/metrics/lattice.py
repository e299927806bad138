# SPDX-License-Identifier: GPL-3.0-or-later
"""Lattice of picks that ignores the image: the chance level of every table.

On crowded micrographs even blind picks match many particles. A metric is evidence only
by how far it exceeds that of the lattice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepconsensus_plugin.core.metrics.detection_metrics import (
    DetectionMetrics,
    evaluate_detections,
)
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates

SPACING_IN_BOXES = 0.63
"""Gives F1 0.34 within 0.25 of the box on EMPIAR-10017 (0.33 - 0.36 for 0.58 - 0.66).
The best lattice there, at 0.47 with almost twice the points, reaches 0.40."""


def blind_lattice(
    shape: tuple[int, int], *, box_size: float, spacing_px: float | None = None
) -> FloatArray:
    """Return the points of a square lattice, shape (n, 2), row by row, pixels.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the micrograph.
    box_size : float
        Points keep half of it from the borders, so that boxes are inside; pixels.
    spacing_px : float, optional
        Distance of neighbours, > 0, pixels. Default: 0.63 of the box.

    Raises
    ------
    ValueError
        If `spacing_px` or `box_size` is not positive.
    """
    step = SPACING_IN_BOXES * box_size if spacing_px is None else spacing_px
    if not (step > 0 and box_size > 0):
        raise ValueError(
            "expected spacing_px and box_size > 0, "
            f"received {spacing_px} and {box_size}"
        )
    rows, columns = (
        np.arange(box_size / 2, length - box_size / 2 + 1e-9, step) for length in shape
    )
    grid: FloatArray = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    return grid.reshape(-1, 2)


def evaluate_blind_lattice(
    truth: Mapping[str, ScoredCoordinates],
    shapes: Mapping[str, tuple[int, int]],
    *,
    box_size: float,
    radius_px: float,
    spacing_px: float | None = None,
) -> DetectionMetrics:
    """Return the figures of a blind lattice on every micrograph of `truth`.

    `shapes` gives their rows and columns; the other arguments are those of
    `blind_lattice` and `core.metrics.evaluate_detections`.
    """
    lattice = {
        name: ScoredCoordinates.from_arrays(
            blind_lattice(shapes[name], box_size=box_size, spacing_px=spacing_px)
        )
        for name in truth
    }
    return evaluate_detections(lattice, truth, radius_px=radius_px)

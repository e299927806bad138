# SPDX-License-Identifier: GPL-3.0-or-later
"""Anchors, one per grid cell, and the particles assigned to them (eq. 3.2).

An anchor is the centre of a square as wide as a particle. It is matched to the particle
of the largest intersection over union, if that exceeds 0.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture
from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]

MATCHED_IOU = 0.6
"""Intersection over union above which an anchor is matched to a particle."""

OFFSETS, IS_PARTICLE = slice(0, 2), 2
"""Channels of targets and outputs: dy and dx in steps, and the label 1 of a particle
(in outputs, its log-odds)."""


def anchor_positions(n_anchors: int, architecture: HydraArchitecture) -> FloatArray:
    """Return the rows, which are also the columns, of the anchors of a crop, pixels."""
    return architecture.first_anchor + architecture.step * np.arange(
        n_anchors, dtype=np.float64
    )


def square_iou(offsets_yx: FloatArray, side: float) -> FloatArray:
    """Return the intersection over union of two squares of one size.

    Parameters
    ----------
    offsets_yx : array, shape (..., 2)
        Vector between the two centres.
    side : float
        Side of both squares, in the same unit; > 0.

    Returns
    -------
    array, shape (...)
        0 to 1.
    """
    overlap = np.clip(side - np.abs(offsets_yx), 0, None).prod(axis=-1)
    return np.asarray(overlap / (2 * side**2 - overlap))


def encode(
    centres_yx: FloatArray, n_anchors: int, architecture: HydraArchitecture
) -> Float32Array:
    """Return the training target of a crop.

    Parameters
    ----------
    centres_yx : array, shape (n, 2)
        Centres of particles, pixels of the crop; those outside count if they are
        matched to an anchor inside.
    n_anchors : int
        Anchors along a side.
    architecture : HydraArchitecture
        Architecture, which gives the positions and sizes of anchors.

    Returns
    -------
    array, shape (n_anchors, n_anchors, 3), float32
        dy and dx from the anchor to the particle, in steps, and the label 1; all 0
        without a particle.
    """
    targets = np.zeros((n_anchors, n_anchors, 3), np.float32)
    if not len(centres_yx):
        return targets
    axis = anchor_positions(n_anchors, architecture)
    anchors = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    offsets = centres_yx - anchors[:, :, None]
    iou = square_iou(offsets, architecture.particle_px)
    best = iou.argmax(axis=2)[..., None]
    is_matched = np.take_along_axis(iou, best, axis=2) > MATCHED_IOU
    nearest = np.take_along_axis(offsets, best[..., None], axis=2)[:, :, 0]
    targets[..., OFFSETS] = np.where(is_matched, nearest / architecture.step, 0)
    targets[..., IS_PARTICLE] = is_matched[..., 0]
    return targets

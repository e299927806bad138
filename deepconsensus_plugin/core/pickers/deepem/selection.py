# SPDX-License-Identifier: GPL-3.0-or-later
"""Selection of DeepEM's candidates by score, then by their standard deviation.

Zhu et al. 2017, *Particle recognition and selection*: the threshold is where F₂, in
which recall weighs twice precision, is largest on labelled micrographs (eq. 8);
candidates whose standard deviation is not that of true particles are carbon or ice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.pickers.deepem.examples import extract_zero_padded
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeviationRange,
    OperatingPoint,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray, ScoredCoordinates

Float32Array = NDArray[np.float32]

_BETA = 2.0

_LEFT_OUT = 0.01
"""Share of labelled particles outside the range, half at each end, since labels may be
wrong."""

_MARGIN = 0.1
"""Share of the range that is added at each end, for particles without a label."""


def learn_deviations(deviations: FloatArray) -> DeviationRange:
    """Return the range of 99 % of the labelled particles, with a margin at each end.

    Parameters
    ----------
    deviations : array, shape (n,)
        Standard deviations of the pixels of each true particle's box.

    Raises
    ------
    ValueError
        If there are no particles.
    """
    if not len(deviations):
        raise ValueError("expected particles to learn the range from, received none")
    tails = [_LEFT_OUT / 2, 1 - _LEFT_OUT / 2]
    lowest, highest = np.quantile(deviations, tails)
    margin = _MARGIN * (highest - lowest)
    return DeviationRange(float(lowest - margin), float(highest + margin))


def are_within(deviations: FloatArray, accepted: DeviationRange) -> BoolArray:
    """Return whether boxes may be particles, shape (n,)."""
    return np.asarray(
        (deviations >= accepted.lowest) & (deviations <= accepted.highest)
    )


def box_deviations(image: Float32Array, yx: FloatArray, box_size: int) -> FloatArray:
    """Return the standard deviation of the pixels of each box, shape (n,).

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        A prepared micrograph.
    yx : array, shape (n, 2)
        Centres, pixels.
    box_size : int
        Side, pixels.
    """
    return np.asarray(extract_zero_padded(image, yx, box_size).std(axis=(1, 2)))


def find_f2_threshold(
    picks: Mapping[str, ScoredCoordinates],
    labels: Mapping[str, ScoredCoordinates],
    *,
    radius_px: float,
) -> OperatingPoint | None:
    """Return the threshold with the largest F₂ on labelled micrographs.

    Parameters
    ----------
    picks : mapping of micrograph name to ScoredCoordinates
        All candidates.
    labels : mapping of micrograph name to ScoredCoordinates
        All particles of each micrograph.
    radius_px : float
        Largest distance of a pick from its label, pixels.

    Returns
    -------
    OperatingPoint or None
        The highest of equal thresholds; None if no pick matches a label.
    """
    matched = match_picks(picks, labels, radius_px=radius_px)
    counts = matched.counts_at_thresholds()
    n_labels = int(matched.n_truth.sum())
    if not n_labels or not counts.n_true.any():
        return None
    square = _BETA**2
    f2 = (1 + square) * counts.n_true / (square * n_labels + counts.n_accepted)
    best = int(np.argmax(f2))
    return OperatingPoint(
        threshold=float(counts.thresholds[best]),
        precision=float(counts.n_true[best] / counts.n_accepted[best]),
        recall=float(counts.n_true[best] / n_labels),
        f2=float(f2[best]),
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of pickers trained on few labels, on micrographs never trained on.

Two average precisions, kept apart. Of *regions*, Σ Pr(k)(R(k) − R(k−1)) over all pixels
of the downsampled micrographs, those within the training radius of a true centre being
positives: the paper's Figure 5. Of *coordinates*, one-to-one within 0.25 of the box:
what users get, and what every other table of this project shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets.picking_sets import MATCH_RADIUS_IN_BOXES
from benchmarks.topaz.sets import LearningSet
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.metrics.classification import (
    ThresholdCounts,
    average_precision,
)
from deepconsensus_plugin.core.pickers.topaz.examples import mark_discs
from deepconsensus_plugin.core.types import BoolArray, ScoredCoordinates

Float32Array = NDArray[np.float32]

_KEY_BITS = 20


@dataclass(frozen=True)
class LearningFigures:
    """Figures on the test micrographs of a `LearningSet`.

    Parameters
    ----------
    region_average_precision : float
        Average precision of pixels.
    average_precision, best_f1, best_f1_threshold : float
        Average precision, best F1 and its threshold of coordinates, as in
        `DetectionMetrics`.
    n_picks : int
        Coordinates, of any score.
    """

    region_average_precision: float
    average_precision: float
    best_f1: float
    best_f1_threshold: float
    n_picks: int


def evaluate(
    learning: LearningSet,
    picks: Mapping[str, ScoredCoordinates],
    read_scores: Callable[[str], Float32Array] | None,
) -> LearningFigures:
    """Return the figures of a picker.

    Parameters
    ----------
    learning : LearningSet
        Whose test micrographs were picked.
    picks : mapping of micrograph name to ScoredCoordinates
        All that it found, pixels of the micrographs.
    read_scores : callable, optional
        From a micrograph's name to the scores of all its downsampled pixels; called for
        one after another, so that they need not all be in memory. Default: without the
        figure of regions.
    """
    truth = {each.name: learning.truth[each.name] for each in learning.test}
    found = evaluate_detections(
        picks, truth, radius_px=MATCH_RADIUS_IN_BOXES * learning.box_size
    )
    of_regions = float("nan")
    if read_scores is not None:
        maps = ((name, read_scores(name)) for name in truth)
        of_regions = average_precision_of_regions(
            (scores, true_regions(learning, name, scores.shape))
            for name, scores in maps
        )
    return LearningFigures(
        of_regions,
        found.average_precision,
        found.best_f1,
        found.best_f1_threshold,
        found.n_picks,
    )


def true_regions(learning: LearningSet, name: str, shape: tuple[int, ...]) -> BoolArray:
    """Return which pixels of a downsampled micrograph lie in a particle's region.

    Raises
    ------
    ValueError
        If `shape` is not that of the micrograph, downsampled.
    """
    micrograph = next(each for each in learning.test if each.name == name)
    expected = tuple(side // learning.binning for side in micrograph.shape)
    if shape != expected:
        raise ValueError(
            f"{name}: expected scores of shape {expected}, received {shape}"
        )
    centres = learning.truth[name].yx / learning.binning
    return mark_discs(shape, centres, learning.radius_px)


def average_precision_of_regions(
    maps: Iterable[tuple[Float32Array, BoolArray]],
) -> float:
    """Return the average precision over the pixels of all maps.

    Scores are counted by their leading bits, so that memory does not grow with the
    number of micrographs; those equal to a part in 2000 count as equal.

    Parameters
    ----------
    maps : iterable of (array, array)
        Scores, finite, and whether a pixel is a positive; of one shape.

    Raises
    ------
    ValueError
        If a score is NaN or infinite, or the shapes differ.
    """
    n_all, n_true = np.zeros((2, 1 << _KEY_BITS), np.int64)
    for scores, is_positive in maps:
        if scores.shape != is_positive.shape:
            raise ValueError(
                f"expected scores of shape {is_positive.shape}, received {scores.shape}"
            )
        keys = _ordered_keys(scores.ravel())
        n_all += np.bincount(keys, minlength=len(n_all))
        n_true += np.bincount(keys[is_positive.ravel()], minlength=len(n_true))
    occupied = np.flatnonzero(n_all)[::-1]
    counts = ThresholdCounts(
        thresholds=occupied.astype(float),
        n_accepted=np.cumsum(n_all[occupied]).astype(float),
        n_true=np.cumsum(n_true[occupied]).astype(float),
    )
    return average_precision(counts, float(n_true.sum()))


def _ordered_keys(scores: Float32Array) -> NDArray[np.int64]:
    """Return whole numbers in the order of the scores: the leading bits of each."""
    if not np.isfinite(scores).all():
        raise ValueError("scores: expected finite numbers, received NaN or infinity")
    bits = np.ascontiguousarray(scores, np.float32).view(np.uint32)
    sign = np.uint32(1 << 31)
    ordered = np.where(bits & sign, ~bits, bits | sign)
    return (ordered >> np.uint32(32 - _KEY_BITS)).astype(np.int64)

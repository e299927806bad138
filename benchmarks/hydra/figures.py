# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of picks in the thesis (section 4.4): boxes at an IoU of 0.6.

A particle's box is as wide as its diameter. A pick finds the free particle whose box
its own shares most with, if that is enough; better scores choose first, so a particle's
best pick is right and its others are wrong. Stricter than 0.25 of a picker's box,
which is one and a half or two diameters wide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.metrics.classification import (
    area_under_roc,
    average_precision,
    count_at_thresholds,
)
from deepconsensus_plugin.core.metrics.detections import MatchedPicks
from deepconsensus_plugin.core.metrics.intervals import (
    Interval,
    resample_average_precision,
)
from deepconsensus_plugin.core.pickers.hydra.anchors import square_iou
from deepconsensus_plugin.core.types import FloatArray, IntArray, ScoredCoordinates

LEAST_IOU = 0.6
REACH_IN_BOXES = 0.25
"""Farthest two boxes can be apart at that IoU: along a side."""

_NONE = ScoredCoordinates.from_arrays([])
_N_RESAMPLES = 300


@dataclass(frozen=True)
class BoxFigures:
    """Metrics of picks on the micrographs of one set, or of several.

    Parameters
    ----------
    average_precision : float
        AP: recall is relative to all particles.
    area_under_roc : float
        AROC. Particles that no pick finds are never reached, as in the thesis: the
        chance that a found one outscores a wrong pick, times the recall of all picks.
    n_picks, n_truth : int
        Picks of any score; particles.
    """

    average_precision: float
    area_under_roc: float
    n_picks: int
    n_truth: int


def match_boxes(
    picks: Mapping[str, ScoredCoordinates],
    truth: Mapping[str, ScoredCoordinates],
    *,
    side_px: float,
) -> MatchedPicks:
    """Return the picks on the micrographs of `truth`, matched with it by their boxes.

    Parameters
    ----------
    picks, truth : mapping of micrograph name to ScoredCoordinates
        Picks have scores; a micrograph that is not in `picks` is all missed.
    side_px : float
        Side of every box, pixels of the micrographs; > 0.

    Raises
    ------
    ValueError
        If `side_px` is not positive.
    """
    if not side_px > 0:
        raise ValueError(f"side_px must be > 0, received {side_px}")
    names = tuple(sorted(truth))
    found = [picks.get(name, _NONE) for name in names]
    matches = [
        _match(each, truth[name].yx, side_px)
        for name, each in zip(names, found, strict=True)
    ]
    offsets = [
        each.yx[match >= 0] - truth[name].yx[match[match >= 0]]
        for name, each, match in zip(names, found, matches, strict=True)
    ]
    is_match = np.concatenate([[], *matches]) >= 0
    return MatchedPicks(
        radius_px=REACH_IN_BOXES * side_px,
        threshold=None,
        micrographs=names,
        n_truth=np.array([len(truth[name]) for name in names], dtype=np.intp),
        micrograph_index=np.repeat(np.arange(len(names)), [len(f) for f in found]),
        scores=np.concatenate([_NONE.scores, *(each.scores for each in found)]),
        is_match=is_match,
        is_accepted=np.ones(len(is_match), dtype=bool),
        offsets_yx=np.concatenate([_NONE.yx, *offsets]),
    )


def _match(picks: ScoredCoordinates, truth_yx: FloatArray, side: float) -> IntArray:
    """Return which particle each pick finds, -1 for none."""
    partner = np.full(len(picks), -1)
    if not len(picks) or not len(truth_yx):
        return partner
    is_free = np.ones(len(truth_yx), dtype=bool)
    near = cKDTree(truth_yx).query_ball_point(picks.yx, REACH_IN_BOXES * side)
    for index in np.argsort(-picks.scores, kind="stable"):
        free = [each for each in near[index] if is_free[each]]
        if not free:
            continue
        iou = square_iou(truth_yx[free] - picks.yx[index], side)
        best = int(np.argmax(iou))
        if iou[best] >= LEAST_IOU:
            partner[index] = free[best]
            is_free[free[best]] = False
    return partner


def evaluate_boxes(matched: Sequence[MatchedPicks]) -> BoxFigures:
    """Return the figures of matched picks; several sets are pooled, score by score."""
    scores = np.concatenate([each.scores for each in matched])
    is_match = np.concatenate([each.is_match for each in matched])
    n_truth = int(sum(each.n_truth.sum() for each in matched))
    counts = count_at_thresholds(is_match, scores)
    recall = float(is_match.sum() / max(n_truth, 1))
    # Without a wrong pick the curve goes straight up, to the recall.
    area = recall if is_match.all() else area_under_roc(counts) * recall
    return BoxFigures(
        average_precision(counts, n_truth),
        area if recall else 0.0,
        len(scores),
        n_truth,
    )


def mean_precision_interval(
    matched: Sequence[MatchedPicks],
    against: Sequence[MatchedPicks] | None = None,
    *,
    seed: int = 0,
) -> Interval:
    """Return the 95 % interval of the mean AP of sets, over micrographs drawn again.

    Parameters
    ----------
    matched : sequence of MatchedPicks
        One a set; micrographs are drawn within each.
    against : sequence of MatchedPicks, optional
        Picks of another picker on the same micrographs: then the interval is that of
        the difference, of both on the same draws.
    seed : int
        Seed of the draws.
    """
    means = _drawn_means(matched, seed)
    if against is not None:
        means = means - _drawn_means(against, seed)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(low), float(high))


def _drawn_means(matched: Sequence[MatchedPicks], seed: int) -> FloatArray:
    drawn = [
        resample_average_precision(
            each, rng=np.random.default_rng([seed, number]), n_resamples=_N_RESAMPLES
        )
        for number, each in enumerate(matched)
    ]
    # Without a pick nothing is defined, and nothing found.
    return np.nan_to_num(drawn).mean(axis=0)

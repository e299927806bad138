# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection metrics of picks against true particles, for the whole package.

Picks and truths are matched one-to-one within a radius, 0.25 of the box everywhere in
this project (a shift along one axis at intersection over union 0.6). Only micrographs
with a truth are evaluated; one without picks counts as all missed. Truth is often
incomplete, so precision is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from deepconsensus_plugin.core.metrics.classification import (
    ThresholdCounts,
    area_under_roc,
    average_precision,
    matthews_correlation,
)
from deepconsensus_plugin.core.metrics.detections import MatchedPicks, match_picks
from deepconsensus_plugin.core.metrics.matching import match_coordinates
from deepconsensus_plugin.core.types import FloatArray, IntArray, ScoredCoordinates

METRICS_SCHEMA = 1


@dataclass(frozen=True)
class DetectionMetrics:
    """Figures of picks against the truth; NaN where one is not defined.

    Parameters
    ----------
    radius_px, threshold
        As in `MatchedPicks`.
    n_micrographs, n_truth, n_picks, n_accepted, n_matched : int
        Evaluated micrographs, true particles, picks there, those accepted, and those
        accepted and matched.
    precision, recall, f1 : float
        Precision, recall and F1 of the accepted picks, pooled over micrographs.
    mean_precision, mean_recall, mean_f1 : float
        The mean over micrographs that define it (with accepted picks, with true
        particles, with either).
    average_precision : float
        Over all thresholds; recall is relative to all true particles.
    best_f1, best_f1_threshold : float
        The largest F1 of any threshold on the scores, and the highest such threshold.
    roc_auc : float
        The chance that a matched pick outscores an unmatched one.
    mcc : float
        MCC of accepted against matched, over all scored picks; needs a `threshold`.
    centre_rmse_px, centre_shift_y_px, centre_shift_x_px : float
        Root mean square distance, and mean of pick minus truth, of the accepted
        matches, pixels.
    """

    radius_px: float
    threshold: float | None
    n_micrographs: int
    n_truth: int
    n_picks: int
    n_accepted: int
    n_matched: int
    precision: float
    recall: float
    f1: float
    mean_precision: float
    mean_recall: float
    mean_f1: float
    average_precision: float
    best_f1: float
    best_f1_threshold: float
    roc_auc: float
    mcc: float
    centre_rmse_px: float
    centre_shift_y_px: float
    centre_shift_x_px: float

    def to_dict(self) -> dict[str, float | int | None]:
        """Return what ``metrics.json`` holds; undefined figures are None."""
        figures = {
            name: None if value is None or not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }
        return {"schema": METRICS_SCHEMA, **figures}


def evaluate_detections(
    picks: Mapping[str, ScoredCoordinates],
    truth: Mapping[str, ScoredCoordinates],
    *,
    radius_px: float,
    threshold: float | None = None,
) -> DetectionMetrics:
    """Return the figures of `picks` against `truth`.

    Parameters
    ----------
    picks, truth : mapping of micrograph name to ScoredCoordinates
        Micrographs that are not in `truth` are left out; those that are not in `picks`
        count as missed (leave them out of `truth` where a picker was not run).
    radius_px : float
        Largest distance of a match, pixels; 0.25 of the box.
    threshold : float, optional
        Picks scored this or better are accepted. Default: all, scored or not.

    Raises
    ------
    ValueError
        If `radius_px` is negative or not finite, or a score is infinite.
    """
    return summarise_matches(
        match_picks(picks, truth, radius_px=radius_px, threshold=threshold)
    )


def summarise_matches(matched: MatchedPicks) -> DetectionMetrics:
    """Return the figures of picks that are matched already."""
    n_accepted = matched.count(matched.is_accepted)
    n_matched = matched.count(matched.is_accepted & matched.is_match)
    pooled = (n_matched.sum(), n_accepted.sum(), matched.n_truth.sum())
    shift = _mean_shift(matched.offsets_yx)
    return DetectionMetrics(
        radius_px=matched.radius_px,
        threshold=matched.threshold,
        n_micrographs=len(matched.micrographs),
        n_truth=int(matched.n_truth.sum()),
        n_picks=len(matched.scores),
        n_accepted=int(n_accepted.sum()),
        n_matched=int(n_matched.sum()),
        **{
            name: float(value)
            for name, value in precision_recall_f1(*map(np.asarray, pooled)).items()
        },
        **{
            f"mean_{name}": _mean_of_defined(values)
            for name, values in precision_recall_f1(
                n_matched, n_accepted, matched.n_truth
            ).items()
        },
        **_score_figures(matched),
        centre_rmse_px=_mean_of_defined((matched.offsets_yx**2).sum(axis=1)) ** 0.5,
        centre_shift_y_px=shift[0],
        centre_shift_x_px=shift[1],
    )


def precision_recall_f1(
    n_matched: FloatArray | IntArray,
    n_accepted: FloatArray | IntArray,
    n_truth: FloatArray | IntArray,
) -> dict[str, FloatArray]:
    """Return the three figures, element by element; NaN where 0 is divided by 0."""
    with np.errstate(invalid="ignore"):
        return {
            "precision": n_matched / n_accepted,
            "recall": n_matched / n_truth,
            "f1": 2 * n_matched / (n_accepted + n_truth),
        }


def _score_figures(matched: MatchedPicks) -> dict[str, float]:
    """Return the figures that need scores; all NaN where no pick has one."""
    names = ("average_precision", "best_f1", "best_f1_threshold", "roc_auc", "mcc")
    counts = matched.counts_at_thresholds()
    if not len(counts.thresholds):
        return dict.fromkeys(names, float("nan"))
    n_truth = matched.n_truth.sum()
    f1 = precision_recall_f1(counts.n_true, counts.n_accepted, n_truth)["f1"]
    best = int(np.argmax(f1))
    return {
        "average_precision": average_precision(counts, float(n_truth)),
        "best_f1": float(f1[best]),
        "best_f1_threshold": float(counts.thresholds[best]),
        "roc_auc": area_under_roc(counts),
        "mcc": _mcc_at(matched.threshold, counts),
    }


def _mcc_at(threshold: float | None, counts: ThresholdCounts) -> float:
    if threshold is None:
        return float("nan")
    last = int(np.searchsorted(-counts.thresholds, -threshold, side="right"))
    n_accepted = np.append(0.0, counts.n_accepted)
    n_true = np.append(0.0, counts.n_true)
    mcc = matthews_correlation(n_true, n_accepted, n_true[-1], n_accepted[-1])
    return float(mcc[last])


def _mean_shift(offsets_yx: FloatArray) -> tuple[float, float]:
    return _mean_of_defined(offsets_yx[:, 0]), _mean_of_defined(offsets_yx[:, 1])


def _mean_of_defined(values: FloatArray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def recall_of(
    labels: Mapping[str, ScoredCoordinates],
    accepted: Mapping[str, ScoredCoordinates],
    *,
    radius_px: float,
) -> float:
    """Return the share of `labels` that `accepted` coordinates keep.

    One-to-one within `radius_px`, over the micrographs of `labels`; a micrograph that
    is not in `accepted` keeps none. NaN without labels.
    """
    n_kept = sum(
        len(match_coordinates(accepted[name].yx, marked.yx, radius_px)[0])
        for name, marked in labels.items()
        if name in accepted
    )
    n_labels = sum(len(marked) for marked in labels.values())
    return n_kept / n_labels if n_labels else float("nan")

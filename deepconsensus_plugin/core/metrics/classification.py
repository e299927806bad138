# SPDX-License-Identifier: GPL-3.0-or-later
"""Classification metrics of scores with labels, at one threshold and over all.

The figures of Deep Consensus' Table 2: areas under both curves, and accuracy,
precision, recall and MCC at the threshold that maximises the MCC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ThresholdCounts:
    """Counts of what each threshold accepts, best score first.

    Parameters
    ----------
    thresholds : array, shape (k,)
        The distinct scores, descending; a score at its threshold is accepted, so
        equal scores are accepted together.
    n_accepted : array, shape (k,), float
        How many are accepted (a sum of weights where there are some).
    n_true : array, shape (k,), float
        How many of those are positives.
    """

    thresholds: FloatArray
    n_accepted: FloatArray
    n_true: FloatArray


@dataclass(frozen=True)
class ClassificationMetrics:
    """Figures of a set of labelled scores; NaN where a class is missing.

    `accuracy`, `precision` and `recall` are at `threshold`, the highest of those that
    maximise `mcc`; scores equal to it are accepted. `pr_auc` is the average precision.
    """

    n_positives: int
    n_negatives: int
    roc_auc: float
    pr_auc: float
    threshold: float
    accuracy: float
    precision: float
    recall: float
    mcc: float


def count_at_thresholds(is_positive: BoolArray, scores: FloatArray) -> ThresholdCounts:
    """Return the counts at every distinct score.

    Parameters
    ----------
    is_positive : array, shape (n,), bool
    scores : array, shape (n,)
        Finite; higher is better.

    Raises
    ------
    ValueError
        If a score is NaN or infinite, or the shapes differ.
    """
    if np.shape(is_positive) != np.shape(scores):
        raise ValueError(
            f"scores: expected shape {np.shape(is_positive)} as the labels, "
            f"received {np.shape(scores)}"
        )
    order, last = rank_scores(scores)
    return ThresholdCounts(
        thresholds=scores[order][last],
        n_accepted=last + 1.0,
        n_true=np.cumsum(is_positive[order], dtype=np.float64)[last],
    )


def rank_scores(scores: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the rows from best to worst, and where each distinct score ends.

    Ties keep their order. ``scores[order][last]`` are the distinct scores, descending.

    Raises
    ------
    ValueError
        If a score is NaN or infinite.
    """
    if not np.isfinite(scores).all():
        raise ValueError("scores: expected finite numbers, received NaN or infinity")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], len(ranked) > 0))
    return order, last


def average_precision(counts: ThresholdCounts, n_positives: float) -> float:
    """Return the sum of precision times the step in recall, without interpolation.

    `n_positives` is what recall is relative to, so positives that were never scored
    count as missed. NaN if it is 0.
    """
    if not n_positives:
        return float("nan")
    gained = np.diff(counts.n_true, prepend=0.0)
    precision = counts.n_true / np.maximum(counts.n_accepted, 1e-300)
    return float((gained * precision).sum() / n_positives)


def area_under_roc(counts: ThresholdCounts) -> float:
    """Return the chance that a positive outscores a negative, ties counting half."""
    if not len(counts.thresholds):
        return float("nan")
    hits = np.append(0.0, counts.n_true)
    false_alarms = np.append(0.0, counts.n_accepted - counts.n_true)
    if hits[-1] == 0 or false_alarms[-1] == 0:
        return float("nan")
    area = (np.diff(false_alarms) * (hits[1:] + hits[:-1]) / 2).sum()
    return float(area / hits[-1] / false_alarms[-1])


def matthews_correlation(
    n_true: FloatArray, n_accepted: FloatArray, n_positives: float, n_total: float
) -> FloatArray:
    """Return the MCC of each accepted set, -1 to 1; 0 where a margin is empty."""
    covariance = n_true * n_total - n_accepted * n_positives
    spread = n_accepted * (n_total - n_accepted) * n_positives
    scale = np.sqrt(spread * (n_total - n_positives))
    return np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)


def classification_metrics(
    labels: ArrayLike, scores: ArrayLike
) -> ClassificationMetrics:
    """Return the figures of labelled scores.

    Parameters
    ----------
    labels : array-like, shape (n,)
        True or 1 for positives, False or 0 for negatives.
    scores : array-like, shape (n,)
        Finite; higher is more likely a positive.

    Raises
    ------
    ValueError
        If the shapes differ, a label is not 0 or 1, or a score is not finite.
    """
    values = np.asarray(labels)
    if not np.isin(values, (0, 1)).all():
        raise ValueError(f"labels: expected 0 or 1, received {np.unique(values)[:5]}")
    is_positive = values.astype(bool)
    counts = count_at_thresholds(is_positive, np.asarray(scores, dtype=np.float64))
    n_total, n_positives = is_positive.size, int(is_positive.sum())
    if n_positives in (0, n_total):
        nan = float("nan")
        return ClassificationMetrics(n_positives, n_total - n_positives, *[nan] * 7)
    mcc = matthews_correlation(counts.n_true, counts.n_accepted, n_positives, n_total)
    best = int(np.argmax(mcc))
    n_true, n_accepted = counts.n_true[best], counts.n_accepted[best]
    n_right = n_true + n_total - n_positives - (n_accepted - n_true)
    return ClassificationMetrics(
        n_positives=n_positives,
        n_negatives=n_total - n_positives,
        roc_auc=area_under_roc(counts),
        pr_auc=average_precision(counts, n_positives),
        threshold=float(counts.thresholds[best]),
        accuracy=float(n_right / n_total),
        precision=float(n_true / n_accepted),
        recall=float(n_true / n_positives),
        mcc=float(mcc[best]),
    )

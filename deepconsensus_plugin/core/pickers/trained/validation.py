# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation of trained pickers against labels that may be incomplete.

If a few hundred of thousands of particles are labelled, a pick of an unlabelled one is
not an error. Labels drawn from all particles give the *recall* at every threshold. With
the number of particles N, it gives the precision,

    precision(t) = recall(t) · N / picks(t)

which is the usual one if every particle is labelled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.monotone import never_rising_shares
from deepconsensus_plugin.core.types import FloatArray, IntArray, ScoredCoordinates

WANTED_PRECISION = 0.8
"""Precision at the default threshold, as HydraPicker's (section 4.2)."""

_ENOUGH_FOUND = 20
"""Number of labels from which a fraction can be estimated."""

_CURVE_POINTS = 200


@dataclass(frozen=True)
class PickerValidation:
    """Validation of a picker on micrographs that it was not trained on.

    Parameters
    ----------
    n_micrographs, n_labels : int
        Micrographs, and labels on them.
    n_particles : float
        Expected number of particles on them.
    average_precision : float
        Average precision of coordinates; NaN without labels.
    curve : list of list of float
        Threshold, number of picks, and recall; thresholds descending, at most 200.
    """

    n_micrographs: int
    n_labels: int
    n_particles: float
    average_precision: float
    curve: list[list[float]]

    @property
    def thresholds(self) -> FloatArray:
        """Thresholds of the curve, descending."""
        return np.asarray(self._columns()[0])

    @property
    def recall(self) -> FloatArray:
        """Recall at each threshold."""
        return np.asarray(self._columns()[2])

    @property
    def precision(self) -> FloatArray:
        """Precision at each threshold."""
        _, n_picks, recall = self._columns()
        share = recall * self.n_particles / np.maximum(n_picks, 1.0)
        return np.asarray(np.minimum(share, 1.0))

    @property
    def f1(self) -> FloatArray:
        """F1 at each threshold."""
        return self.f_beta(1.0)

    def f_beta(self, beta: float) -> FloatArray:
        """Return the F-measure in which recall counts `beta` times precision."""
        total = np.maximum(beta**2 * self.precision + self.recall, 1e-12)
        return np.asarray((1 + beta**2) * self.precision * self.recall / total)

    @property
    def best_threshold(self) -> float | None:
        """Threshold of the largest F1; None without picks or labels."""
        return self.best_threshold_of(1.0)

    def best_threshold_of(self, beta: float) -> float | None:
        """Return the threshold of the largest F-measure; None as `best_threshold`."""
        if not self.curve:
            return None
        return float(self.thresholds[np.argmax(self.f_beta(beta))])

    def threshold_for(self, precision: float = WANTED_PRECISION) -> float | None:
        """Return the lowest threshold of a precision; None where it is not reached."""
        reached = np.flatnonzero(self.precision >= precision)
        return float(self.thresholds[reached[-1]]) if len(reached) else None

    def probability(self, scores: FloatArray) -> FloatArray:
        """Return the probability that picks with these scores are particles.

        It is the share of particles among validation picks with similar scores, made
        non-decreasing in the score (isotonic regression). NaN without labels.

        Parameters
        ----------
        scores : array, shape (n,)
            Log-odds of the network.
        """
        if not self.curve:
            return np.full(len(scores), np.nan)
        thresholds, n_picks, recall = self._columns()
        n_between = np.diff(n_picks, prepend=0.0)
        n_true = np.diff(recall * self.n_particles, prepend=0.0)
        share = never_rising_shares(n_true, n_between)
        place = np.searchsorted(-thresholds, -np.asarray(scores))
        return np.asarray(share[np.minimum(place, len(share) - 1)].clip(0.0, 1.0))

    def _columns(self) -> FloatArray:
        return np.array(self.curve, dtype=np.float64).reshape(-1, 3).T


def validate_picks(
    picks: Mapping[str, ScoredCoordinates],
    labels: Mapping[str, ScoredCoordinates],
    *,
    n_particles: float | None,
    radius_px: float,
) -> PickerValidation:
    """Return the figures of scored picks.

    Parameters
    ----------
    picks : mapping of micrograph name to ScoredCoordinates
        All maxima, scored.
    labels : mapping of micrograph name to ScoredCoordinates
        Labelled particles on the same micrographs: all particles, or a random sample of
        them.
    n_particles : float, optional
        Number of particles on these micrographs, labelled or not. Default: the number
        at which all of the best picks are particles.
    radius_px : float
        Largest distance of a pick from its label, pixels.
    """
    matched = match_picks(picks, labels, radius_px=radius_px)
    n_labels = int(matched.n_truth.sum())
    counts = matched.counts_at_thresholds()
    if not n_labels or not len(counts.thresholds):
        return PickerValidation(len(labels), n_labels, float(n_labels), math.nan, [])
    recall = counts.n_true / n_labels
    expected = n_particles or _fewest_particles(counts.n_accepted, recall, n_labels)
    expected = max(expected, float(n_labels))
    precision = np.minimum(recall * expected / counts.n_accepted, 1.0)
    curve = np.column_stack([counts.thresholds, counts.n_accepted, recall])
    return PickerValidation(
        n_micrographs=len(labels),
        n_labels=n_labels,
        n_particles=expected,
        average_precision=float((precision * np.diff(recall, prepend=0.0)).sum()),
        curve=curve[_spread(len(curve))].tolist(),
    )


def _fewest_particles(n_picks: FloatArray, recall: FloatArray, n_labels: int) -> float:
    """Return the smallest number of particles that explains these picks.

    Picks that contain a share r of the labels contain that share of all particles,
    whose number is therefore at most picks / r. The minimum is reached at the purest
    part of the picks, as in estimates of the prior from positives and unlabelled data
    (Scott 2015). Parts with few labels are ignored because their share is uncertain,
    unless there are no others.
    """
    n_found = recall * n_labels
    if not n_found[-1]:
        return float(n_labels)
    is_known = n_found >= min(_ENOUGH_FOUND, n_labels / 2, n_found[-1])
    ratio = np.where(is_known, n_picks / np.maximum(recall, 1e-12), np.inf)
    return float(ratio.min())


def _spread(n_rows: int) -> IntArray:
    """Return a subset of the rows of a curve, with the first and the last."""
    rows = np.linspace(0, n_rows - 1, _CURVE_POINTS).round()
    return np.asarray(np.unique(rows.astype(np.intp)))

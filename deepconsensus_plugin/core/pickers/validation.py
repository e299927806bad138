# SPDX-License-Identifier: GPL-3.0-or-later
"""How good a trained picker is, told by labels that need not be complete.

Whoever labels a few hundred particles leaves thousands without a label, and a pick of
one of those is no mistake. Labels drawn from all particles tell the *recall* at every
threshold. With the number of particles that there should be, N, that gives precision,

    precision(t) = recall(t) · N / picks(t)

the ordinary one where every particle is labelled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.types import FloatArray, IntArray, ScoredCoordinates

WANTED_PRECISION = 0.8
"""Of the default threshold, as HydraPicker's (section 4.2) on its validation sets."""

_CURVE_POINTS = 200


@dataclass(frozen=True)
class PickerValidation:
    """A picker on micrographs that it did not learn from.

    Parameters
    ----------
    n_micrographs, n_labels : int
        Micrographs, and labels on them.
    n_particles : float
        How many there should be on them.
    average_precision : float
        Of coordinates; NaN without labels.
    curve : list of list of float
        Threshold, precision and recall, thresholds descending; at most 200.
    """

    n_micrographs: int
    n_labels: int
    n_particles: float
    average_precision: float
    curve: list[list[float]]

    @property
    def best_f1(self) -> float:
        """Return the largest F1; NaN without picks."""
        f1 = self._f1()
        return float(f1.max()) if len(f1) else math.nan

    @property
    def best_threshold(self) -> float | None:
        """Return the threshold of the largest F1; None without picks."""
        f1 = self._f1()
        return self.curve[int(np.argmax(f1))][0] if len(f1) else None

    def threshold_for(self, precision: float = WANTED_PRECISION) -> float | None:
        """Return the lowest threshold of a precision; None where it is not reached."""
        reached = [t for t, reached, _ in self.curve if reached >= precision]
        return reached[-1] if reached else None

    def _f1(self) -> FloatArray:
        _, precision, recall = np.reshape(self.curve, (-1, 3)).T
        total = np.maximum(precision + recall, 1e-12)
        return np.asarray(2 * precision * recall / total)


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
        Particles known on micrographs that the picker did not learn from.
    n_particles : float, optional
        Particles of a micrograph, labelled or not. Default: the labels are all.
    radius_px : float
        Largest distance of a pick from its label, pixels.
    """
    matched = match_picks(picks, labels, radius_px=radius_px)
    n_labels = int(matched.n_truth.sum())
    expected = float(n_labels)
    if n_particles is not None:
        expected = max(expected, n_particles * len(labels))
    counts = matched.counts_at_thresholds()
    if not n_labels or not len(counts.thresholds):
        return PickerValidation(len(labels), n_labels, expected, math.nan, [])
    recall = counts.n_true / n_labels
    precision = np.minimum(recall * expected / counts.n_accepted, 1.0)
    steps = np.diff(recall, prepend=0.0)
    chosen = _spread(len(recall))
    curve = np.column_stack([counts.thresholds, precision, recall])[chosen]
    return PickerValidation(
        n_micrographs=len(labels),
        n_labels=n_labels,
        n_particles=expected,
        average_precision=float((precision * steps).sum()),
        curve=curve.tolist(),
    )


def _spread(n_rows: int) -> IntArray:
    """Return rows of a curve, the first and the last among them."""
    rows = np.linspace(0, n_rows - 1, _CURVE_POINTS).round()
    return np.asarray(np.unique(rows.astype(np.intp)))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation of picks against the truth, with a lattice baseline and intervals."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.text import read_text
from deepconsensus_plugin.core.metrics.detection_metrics import (
    DetectionMetrics,
    precision_recall_f1,
    summarise_matches,
)
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.intervals import Interval, bootstrap_intervals
from deepconsensus_plugin.core.metrics.lattice import evaluate_blind_lattice
from deepconsensus_plugin.core.types import BoolArray, FloatArray, ScoredCoordinates

CURVE_COLUMNS = ("threshold", "precision", "recall")

_N_RESAMPLES = 500


@dataclass(frozen=True)
class MatchRules(Declared):
    """Rules by which picks match true particles."""

    match_radius: float = field(
        default=0.25,
        metadata=declare(
            "Match radius",
            "A pick matches a true particle if their centres are at most this far "
            "apart, as a fraction of the box size of the truth. A larger radius "
            "flatters the figures, since random picks match too.",
            unit="boxes",
            gt=0,
        ),
    )
    threshold: float | None = field(
        default=None,
        metadata=declare(
            "Minimum score",
            "Picks with this score or a higher one are compared with the truth.",
            if_none="all picks",
            is_expert=True,
        ),
    )


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of picks, those of a blind lattice, and their intervals.

    Parameters
    ----------
    metrics : DetectionMetrics
        Metrics of the picks.
    blind_lattice : DetectionMetrics
        Metrics of a lattice that never saw an image, on the same micrographs.
    intervals : dict of str to Interval
        95 % intervals of `bootstrap_intervals`.
    n_not_observed : int
        Micrographs with a truth on which the picker was not run; left out.
    curve : array, shape (t, 3)
        Threshold, precision and recall at every distinct score, highest first.
    """

    metrics: DetectionMetrics
    blind_lattice: DetectionMetrics
    intervals: dict[str, Interval]
    n_not_observed: int
    curve: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Return what ``metrics.json`` holds."""
        floor = self.blind_lattice.to_dict()
        floor.pop("schema")
        return {
            **self.metrics.to_dict(),
            "n_not_observed": self.n_not_observed,
            "intervals": {name: i.to_list() for name, i in self.intervals.items()},
            "blind_lattice": floor,
        }

    def write_curve(self, path: Path) -> None:
        """Write the precision-recall curve as CSV."""
        with (
            whole_file(path) as partial,
            partial.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(CURVE_COLUMNS)
            writer.writerows(self.curve.tolist())


def evaluate_picks(
    picks: Mapping[str, ScoredCoordinates],
    truth: Mapping[str, ScoredCoordinates],
    shapes: Mapping[str, tuple[int, int]],
    *,
    box_size: float,
    radius_px: float,
    threshold: float | None = None,
    seed: int = 0,
) -> Evaluation:
    """Compare picks with the truth, where the picker was run and a truth is known.

    Parameters
    ----------
    picks, truth : mapping of micrograph name to ScoredCoordinates
        A micrograph that is absent was not observed; pixels of one frame.
    shapes : mapping of micrograph name to tuple of int
        Rows and columns of the compared micrographs.
    box_size : float
        For the lattice, pixels.
    radius_px : float
        Largest distance of a match, pixels; 0.25 of the box.
    threshold : float, optional
        Picks scored this or better are accepted. Default: all.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    ValueError
        If no micrograph is in both.
    """
    compared = {name: marked for name, marked in truth.items() if name in picks}
    if not compared:
        raise ValueError(
            f"expected micrographs with picks and a truth, received {len(picks)} with "
            f"picks and {len(truth)} with a truth, none in common"
        )
    matched = match_picks(picks, compared, radius_px=radius_px, threshold=threshold)
    counts = matched.counts_at_thresholds()
    n_truth = np.full(len(counts.thresholds), matched.n_truth.sum())
    figures = precision_recall_f1(counts.n_true, counts.n_accepted, n_truth)
    return Evaluation(
        metrics=summarise_matches(matched),
        blind_lattice=evaluate_blind_lattice(
            compared, shapes, box_size=box_size, radius_px=radius_px
        ),
        intervals=bootstrap_intervals(
            matched, rng=np.random.default_rng(seed), n_resamples=_N_RESAMPLES
        ),
        n_not_observed=len(truth) - len(compared),
        curve=np.column_stack(
            [counts.thresholds, figures["precision"], figures["recall"]]
        ),
    )


def rank_accepted_first(
    picks: Mapping[str, ScoredCoordinates], accepted: Mapping[str, ScoredCoordinates]
) -> tuple[dict[str, ScoredCoordinates], float]:
    """Return picks whose figures at a threshold are those of the accepted ones alone.

    A pick that was rejected although its score is high, at the edge for example, is
    lowered to just below the lowest accepted score; nothing else changes.

    Parameters
    ----------
    picks : mapping of micrograph name to ScoredCoordinates
        Accepted ones and others.
    accepted : mapping of micrograph name to ScoredCoordinates
        At the places of `picks`; its scores are not looked at.

    Returns
    -------
    picks : dict of str to ScoredCoordinates
        All of them, in their order.
    threshold : float
        The lowest accepted score, which no other pick reaches; infinity if none is.

    Raises
    ------
    ValueError
        If accepted picks are not among the picks, or have no scores.
    """
    is_accepted = {
        name: _are_among(found, accepted.get(name)) for name, found in picks.items()
    }
    n_accepted = sum(len(found) for found in accepted.values())
    scores = np.concatenate(
        [
            np.empty(0),
            *(found.scores[is_accepted[name]] for name, found in picks.items()),
        ]
    )
    n_found = np.count_nonzero(~np.isnan(scores))
    if n_found < n_accepted:
        raise ValueError(
            f"expected {n_accepted} accepted picks among those that are compared, with "
            f"scores, received {n_found}"
        )
    threshold = float(scores.min(initial=np.inf))
    below = np.nextafter(threshold, -np.inf)
    lowered = {
        name: ScoredCoordinates.from_arrays(
            found.yx,
            np.where(is_accepted[name], found.scores, np.minimum(found.scores, below)),
        )
        for name, found in picks.items()
    }
    return lowered, threshold


def _are_among(picks: ScoredCoordinates, chosen: ScoredCoordinates | None) -> BoolArray:
    """Return which picks lie exactly where one of the chosen does, shape (n,)."""
    places = set() if chosen is None else {*map(tuple, chosen.yx.tolist())}
    return np.array([tuple(yx) in places for yx in picks.yx.tolist()], dtype=bool)


def read_curve(path: Path) -> FloatArray:
    """Return what `Evaluation.write_curve` wrote, shape (t, 3).

    Raises
    ------
    FileFormatError
        If the file is no such curve.
    """
    expected = f"a table of {', '.join(CURVE_COLUMNS)}"
    try:
        head, *rows = csv.reader(StringIO(read_text(path), newline=""))
        curve = np.array([[float(cell) for cell in row] for row in rows], np.float64)
        curve = curve.reshape(-1, len(CURVE_COLUMNS))
        is_share = (curve[:, 1:] >= 0) & (curve[:, 1:] <= 1)
        if tuple(head) != CURVE_COLUMNS or not is_share.all():
            raise ValueError(f"columns {', '.join(head)[:80]}, or shares beyond 0 - 1")
    except (ValueError, csv.Error) as error:
        raise FileFormatError(path, expected=expected, received=str(error)) from error
    return curve

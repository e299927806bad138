# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the accuracy tables: what is compared with the truth of a real set."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.consensus.repic import repic_consensus
from benchmarks.consensus.zscores import MAX_Z, zscores
from benchmarks.sets.real_sets import BOX_SIZE, MATCH_RADIUS_PX, RealSet
from benchmarks.sets.tables import with_interval
from deepconsensus_plugin.core.calibration import Fusion
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.classification import classification_metrics
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.metrics.intervals import bootstrap_intervals
from deepconsensus_plugin.core.metrics.matching import match_coordinates
from deepconsensus_plugin.core.types import ScoredCoordinates

Floats = NDArray[np.floating]
Marks = dict[str, ScoredCoordinates]

HEADER = (
    "picks,threshold,n,precision,recall,F1 (95 %),best F1,"
    "mean precision,mean recall,mean F1 (95 %),"
    "good kept,of picked good,bad kept,AUC good/bad,AUC of picked"
).split(",")
"""Of `row`; means are those over micrographs."""

_EVERYTHING = -np.inf


def row(real: RealSet, name: str, scored: Marks, threshold: float) -> list[object]:
    """Return one row: detection figures, then what becomes of good and bad labels."""
    matched = match_picks(
        scored, real.truth, radius_px=MATCH_RADIUS_PX, threshold=threshold
    )
    found = summarise_matches(matched)
    spread = bootstrap_intervals(matched, rng=np.random.default_rng(0))
    f1, mean_f1 = (
        with_interval(getattr(found, figure), spread[figure].low, spread[figure].high)
        for figure in ("f1", "mean_f1")
    )
    return [
        name,
        None if threshold == _EVERYTHING else float(threshold),
        *(found.n_accepted, found.precision, found.recall, f1, found.best_f1),
        *(found.mean_precision, found.mean_recall, mean_f1),
        *label_figures(real, scored, threshold),
    ]


def label_figures(real: RealSet, scored: Marks, threshold: float) -> list[float]:
    """Return what is kept of good labels (all, and picked) and bad ones; the AUCs."""
    good, bad = (scores_of_labels(each, scored) for each in (real.good, real.bad))
    picked = [labels[~np.isnan(labels)] for labels in (good, bad)]
    return [
        float((good >= threshold).mean()),
        float((picked[0] >= threshold).mean()) if len(picked[0]) else float("nan"),
        float((bad >= threshold).mean()),
        area_between(good, bad),
        area_between(*picked),
    ]


def scores_of_labels(labels: Marks, scored: Marks) -> Floats:
    """Return the score of the pick at each label; NaN where there is none."""
    parts = []
    for name, marked in labels.items():
        scores = np.full(len(marked), np.nan)
        if name in scored:
            picks = scored[name]
            pick, label = match_coordinates(picks.yx, marked.yx, MATCH_RADIUS_PX)
            scores[label] = picks.scores[pick]
        parts.append(scores)
    return np.concatenate(parts)


def area_between(good: Floats, bad: Floats) -> float:
    """Return the chance that a good label outscores a bad one; without pick: last."""
    labels = np.repeat([True, False], [len(good), len(bad)])
    scores = np.concatenate([good, bad])
    if not np.isfinite(scores).any():
        return float("nan")
    last = np.nanmin(scores) - 1
    return classification_metrics(labels, np.nan_to_num(scores, nan=last)).roc_auc


def baseline_rows(real: RealSet, candidates: Candidates) -> Iterator[list[object]]:
    """Yield the rows of pickers, rules of votes, REPIC's rule and Z-scores."""
    pickers = real.read_pickers()
    for picks in pickers:
        every = {
            name: ScoredCoordinates.from_arrays(found.yx, np.ones(len(found)))
            for name, found in picks.coordinates.items()
        }
        yield row(real, picks.picker, every, 1.0)
    votes = candidates.by_micrograph(candidates.votes.astype(np.float64))
    for least in range(1, len(pickers) + 1):
        yield row(real, f"at least {least}", votes, float(least))
    rules = {"REPIC": len(pickers)}
    if len(pickers) > 2:
        rules["REPIC, cliques of 2 or more"] = 2
    for name, least in rules.items():
        found = repic_consensus(pickers, box_size=BOX_SIZE, min_pickers=least)
        yield row(real, name, found, _EVERYTHING)
    unlikeness = zscores(real.micrographs, candidates, box_size=BOX_SIZE)
    yield row(real, "Z-score", candidates.by_micrograph(-unlikeness), -MAX_Z)


def fused_row(
    real: RealSet, name: str, candidates: Candidates, fusion: Fusion
) -> list[object]:
    """Return the row of fused probabilities at the automatic threshold."""
    best = choose_threshold(fusion.probability, AUTOMATIC)
    return row(real, name, candidates.by_micrograph(fusion.probability), best)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds of a general HydraPicker on sets that it never trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.hydra.corpus import CorpusSet
from benchmarks.hydra.figures import match_boxes
from benchmarks.hydra.rows import Picks, hydra_request
from benchmarks.sets.tables import markdown_table
from benchmarks.sets.truth_sets import TruthSet
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import MatchedPicks, match_picks
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pipeline import network_pick

_PRECISION = 0.8
HEADER = (
    "F1",
    f"sources' precision {_PRECISION}",
    "sources' best F1",
    "own scores (default)",
    "best of all",
    "precision (default)",
    "expected",
)


def threshold_table(
    model: Path, sets: Sequence[CorpusSet | TruthSet], folder: Path
) -> str:
    """Return the F1 that ways to a threshold reach, one row a set.

    Of the threshold of the set's own scores, which is the default, also the precision,
    and what the scores let one expect of it. Sets of the corpus are matched by their
    boxes, real ones by centres, as in the other tables.
    """
    figures = load_card_of(model, HydraCard).heads[0].validation
    thresholds = (
        (figures.threshold_for(_PRECISION), figures.best_threshold)
        if figures is not None
        else (None, None)
    )
    rows = [
        [each.name, *_row_of_thresholds(each, model, thresholds, folder)]
        for each in sets
    ]
    return markdown_table(HEADER, rows)


def _row_of_thresholds(
    found: CorpusSet | TruthSet,
    model: Path,
    thresholds: Sequence[float | None],
    folder: Path,
) -> list[object]:
    micrographs = found.test if isinstance(found, CorpusSet) else found.micrographs
    request = hydra_request(
        micrographs, found.diameter_A, folder / "zero-shot" / found.name, model=model
    )
    default = network_pick.run(request, Progress())
    matched = _match(found, dict(network_pick.find_all(request, Progress())))
    accepted = matched.scores >= default.threshold
    return [
        *(None if each is None else f1_at(matched, each) for each in thresholds),
        f1_at(matched, default.threshold),
        summarise_matches(matched).best_f1,
        float(matched.is_match[accepted].mean()),
        default.expected_precision,
    ]


def _match(found: CorpusSet | TruthSet, picks: Picks) -> MatchedPicks:
    if isinstance(found, TruthSet):
        return match_picks(picks, found.truth, radius_px=found.match_radius_px)
    truth = {each.name: found.truth[each.name] for each in found.test}
    return match_boxes(picks, truth, side_px=found.diameter_px)


def f1_at(matched: MatchedPicks, threshold: float) -> float:
    """Return F1 of the picks from a threshold on: better ones had the first choice."""
    accepted = matched.scores >= threshold
    right = np.count_nonzero(matched.is_match & accepted)
    return 2 * right / max(np.count_nonzero(accepted) + int(matched.n_truth.sum()), 1)

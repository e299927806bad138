# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of pickers' metrics on sets of the corpus, and on real sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.hydra.corpus import CorpusSet
from benchmarks.hydra.figures import (
    evaluate_boxes,
    match_boxes,
    mean_precision_interval,
)
from benchmarks.hydra.rows import Picker, SetPicker
from benchmarks.hydra.samples import Role
from benchmarks.sets.picking_sets import MATCH_RADIUS_IN_BOXES, SETS, lattice_row
from benchmarks.sets.tables import figure, markdown_table, with_interval
from benchmarks.sets.truth_sets import TruthSet, load_truth_set
from benchmarks.topaz.sets import load_set
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import MatchedPicks, match_picks
from deepconsensus_plugin.core.metrics.lattice import blind_lattice
from deepconsensus_plugin.core.types import ScoredCoordinates

COMPARED = (
    ("specialised", "general"),
    ("general", "one head"),
    ("specialised", "one head"),
    ("zero-shot", "one head, zero-shot"),
    ("zero-shot", "alone"),
    ("few-shot", "zero-shot"),
    ("few-shot", "one head, few-shot"),
)
"""Pairs of pickers: whether the first is better, micrograph by micrograph."""

Matches = Mapping[str, Sequence[MatchedPicks]]
"""By picker, one for each set."""


def match_all(
    sets: Sequence[CorpusSet], pickers: Mapping[str, SetPicker], folder: Path
) -> Matches:
    """Pick the test micrographs of all sets, and match what is found."""
    return {
        name: [_match(each, picker, folder / name / each.name) for each in sets]
        for name, picker in pickers.items()
    }


def corpus_table(sets: Sequence[CorpusSet], matches: Matches) -> str:
    """Return AP and AROC on the test micrographs: one row a set, one column a picker.

    Below them their means, the 95 % interval of the mean AP, and the figures of all
    sets in one: scores of different sets are then set beside each other.
    """
    columns = list(matches.values())
    rows = [
        [
            *(each.name, f"{each.diameter_px:.0f}", blind_lattice_f1(each)),
            *(_cell([column[number]]) for column in columns),
        ]
        for number, each in enumerate(sets)
    ]
    mean_lattice = sum(map(blind_lattice_f1, sets)) / len(sets)
    rows.append(["**mean**", "", mean_lattice, *map(_mean_cell, columns)])
    rows.append(["AP, 95 %", "", None, *map(_interval_cell, columns)])
    rows.append(["all in one", "", None, *map(_cell, columns)])
    return markdown_table(["AP / AROC", "px", "lattice F1", *matches], rows)


def differences(matches: Matches) -> str:
    """Return by how much mean APs differ, with the interval of the difference."""
    rows = []
    for better, other in COMPARED:
        if better in matches and other in matches:
            interval = mean_precision_interval(matches[better], matches[other])
            by = _mean_precision(matches[better]) - _mean_precision(matches[other])
            bounds = f"{interval.low:+.3f} – {interval.high:+.3f}"
            rows.append([f"{better} − {other}", f"{by:+.3f}", bounds])
    return markdown_table(["difference of mean AP", "", "95 %"], rows) if rows else ""


def _mean_precision(matched: Sequence[MatchedPicks]) -> float:
    return sum(evaluate_boxes([m]).average_precision for m in matched) / len(matched)


def _match(corpus_set: CorpusSet, picker: SetPicker, folder: Path) -> MatchedPicks:
    picks = picker(corpus_set, folder)
    truth = {each.name: corpus_set.truth[each.name] for each in corpus_set.test}
    return match_boxes(picks, truth, side_px=corpus_set.diameter_px)


def _cell(matched: Sequence[MatchedPicks]) -> str:
    found = evaluate_boxes(matched)
    return f"{figure(found.average_precision)} / {figure(found.area_under_roc)}"


def _mean_cell(matched: Sequence[MatchedPicks]) -> str:
    area = sum(evaluate_boxes([m]).area_under_roc for m in matched) / len(matched)
    return f"{figure(_mean_precision(matched))} / {figure(area)}"


def _interval_cell(matched: Sequence[MatchedPicks]) -> str:
    interval = mean_precision_interval(matched)
    return f"{figure(interval.low)} – {figure(interval.high)}"


def blind_lattice_f1(corpus_set: CorpusSet) -> float:
    """Return what a lattice that never saw the images reaches, by boxes as well."""
    side, blind = corpus_set.diameter_px, {}
    for each in corpus_set.test:
        yx = blind_lattice(each.shape, box_size=side)
        blind[each.name] = ScoredCoordinates(yx, np.zeros(len(yx)))
    truth = {name: corpus_set.truth[name] for name in blind}
    found = match_boxes(blind, truth, side_px=side)
    return float(2 * found.is_match.sum() / (len(found.scores) + found.n_truth.sum()))


def real_table(name: str, pickers: Mapping[str, Picker], folder: Path) -> str:
    """Return one row a picker on a real set, the blind lattice last."""
    truth_set = load_truth_set(name, folder)
    rows = [
        [picker, *_real_figures(truth_set, pick, folder / picker / name)]
        for picker, pick in pickers.items()
    ]
    (real,) = (each for each in SETS if each.folder == name)
    blind = lattice_row(real)
    rows.append(["blind lattice", None, blind[4], *blind[2:4], None, blind[1]])
    header = "picker,AP (95 %),best F1,precision,recall,at score,picks"
    return markdown_table(header.split(","), rows)


def tuned_table(name: str, pickers: Mapping[str, SetPicker], folder: Path) -> str:
    """Return one row a picker that may learn on the first half of a real set."""
    learning = load_set(name, folder)
    *train, last = learning.train
    halves = CorpusSet(
        *(name, Role.TARGET, tuple(train), (last,), learning.test),
        *(learning.truth, learning.diameter_A),
    )
    truth = {each.name: learning.truth[each.name] for each in learning.test}
    radius_px = MATCH_RADIUS_IN_BOXES * learning.box_size
    rows = []
    for picker, pick in pickers.items():
        picks = pick(halves, folder / f"{picker}, tuned" / name)
        found = summarise_matches(match_picks(picks, truth, radius_px=radius_px))
        rows.append([picker, found.average_precision, found.best_f1])
    return markdown_table(["picker", "AP", "best F1"], rows)


def _real_figures(truth_set: TruthSet, picker: Picker, folder: Path) -> list[object]:
    picks = picker(truth_set.micrographs, truth_set.diameter_A, folder)
    matched = match_picks(picks, truth_set.truth, radius_px=truth_set.match_radius_px)
    found = summarise_matches(matched)
    interval = mean_precision_interval([matched])
    best = summarise_matches(
        match_picks(
            picks,
            truth_set.truth,
            radius_px=truth_set.match_radius_px,
            threshold=found.best_f1_threshold,
        )
    )
    return [
        with_interval(found.average_precision, interval.low, interval.high),
        *(best.f1, best.precision, best.recall),
        *(found.best_f1_threshold, best.n_accepted),
    ]

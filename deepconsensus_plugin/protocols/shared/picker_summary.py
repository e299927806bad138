# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a trained picker, for summaries and methods of protocols."""

from __future__ import annotations

import math

from deepconsensus_plugin.core.methods import find_method
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pickers.trained.validation import (
    WANTED_PRECISION,
    PickerValidation,
)
from deepconsensus_plugin.core.pipeline.pick import PickResult

_SETS_BY_NAME = 8

_FEWEST_IN_ROWS, _SHARE_IN_ROWS = 20, 0.05
"""Number and share of picks in straight rows from which a summary warns of them."""


def describePicker(card: PickerCard) -> list[str]:
    """Return what a picker is, what it learnt from, and its figures, a line each."""
    lines = card.describe(find_method(card.kind).label)
    lines += _describeLearnt(card)
    if card.validation is None or not math.isfinite(card.validation.average_precision):
        return [*lines, "Not validated, since too few micrographs have labels."]
    return [*lines, *describeValidation(card.validation)]


def _describeLearnt(card: PickerCard) -> list[str]:
    """Return what a picker was trained on: a line a set, or one for many sets."""
    sets = card.training_sets
    if len(sets) > _SETS_BY_NAME:
        n_places = sum(s.n_boxes for s in sets)
        return [f"Trained on {n_places} particles of {len(sets)} data sets."]
    return [
        f"Trained on {s.n_boxes} {'particles' if s.is_particle else 'negatives'} "
        f"({s.name})."
        for s in sets
    ]


def describeValidation(figures: PickerValidation) -> list[str]:
    """Return how good a picker is on micrographs held out, a line each."""
    lines = [
        f"On {figures.n_micrographs} held-out micrographs, with {figures.n_labels} of "
        f"about {figures.n_particles:.0f} particles labelled: average precision "
        f"{figures.average_precision:.3f}, best F1 {figures.f1.max():.3f} at log-odds "
        f"{figures.best_threshold:.2f}."
    ]
    precise = figures.threshold_for(WANTED_PRECISION)
    if precise is None:
        lines.append(f"No threshold reaches a precision of {WANTED_PRECISION:g} there.")
    else:
        lines.append(f"Precision {WANTED_PRECISION:g} from log-odds {precise:.2f}.")
    return lines


def describeNull(null: NullComparison | None) -> list[str]:
    """Return what the null control found, first of all if there is no evidence."""
    if null is None:
        return []
    if null.has_evidence:
        return [null.describe()]
    return [
        f"WARNING: {null.describe()} The picks are there to be looked at; nothing is "
        "expected of them."
    ]


def describeRows(result: PickResult, *, areLeftOut: bool) -> list[str]:
    """Return that picks lie in rows, as on filaments, where there are many."""
    n_rows, n_all = result.n_in_rows, result.n_picks
    if areLeftOut and n_rows:
        return [f"{n_rows} picks in straight rows, as on filaments, were left out."]
    if n_rows < max(_FEWEST_IN_ROWS, _SHARE_IN_ROWS * n_all):
        return []
    return [
        f"WARNING: {n_rows} of {n_all} picks lie in straight rows with nothing beside "
        "them, as on filaments. These are out of reach of pickers of single particles; "
        "*Leave out filaments* removes them."
    ]


def describeExpected(precision: float, recall: float = math.nan) -> str:
    """Return how good picks should be, as a part of a sentence."""
    if not math.isfinite(precision):
        return "expected precision unknown"
    told = f"expected precision {precision:.2f}"
    return f"{told}, recall {recall:.2f}" if math.isfinite(recall) else told

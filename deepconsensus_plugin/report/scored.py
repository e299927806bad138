# SPDX-License-Identifier: GPL-3.0-or-later
"""Scored candidates of a finished run, and which of them were accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pwem.objects import SetOfCoordinates
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import (
    NETWORK_SCORE_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
)
from deepconsensus_plugin.convert import (
    candidates_and_items,
    coordinates_from_set,
    picks_from_set,
    read_observed,
)
from deepconsensus_plugin.core.calibration.thresholds import ThresholdMode
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD_MODES
from deepconsensus_plugin.set_columns import read_columns, read_numbers


@dataclass(frozen=True, eq=False)
class ScoredCandidates:
    """Candidates, n, with what they scored; arrays of shape (n,).

    Parameters
    ----------
    candidates : Candidates
        The OR set.
    score, network_score, spread : arrays
        What the threshold applies to, the mean of the networks and their spread; NaN
        for candidates without a score.
    accepted : array, bool
        Which candidates the selection kept.
    threshold : float
        The lowest score that it accepted; infinity where it accepted none.
    """

    candidates: Candidates
    score: FloatArray
    network_score: FloatArray
    spread: FloatArray
    accepted: BoolArray
    threshold: float


def read_scored(scored: Protocol, selected: Protocol) -> ScoredCandidates:
    """Return the result of *score particles* and of the *select by score* after it.

    *Deep consensus* can replace either, or both.
    """
    coordinates = scored_coordinates(scored)
    candidates, item = candidates_and_items(coordinates)
    score, spread = read_numbers(coordinates, SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE)[item].T
    network_score = score  # as it was before anything else was combined with it
    if NETWORK_SCORE_ATTRIBUTE in read_columns(coordinates, NETWORK_SCORE_ATTRIBUTE):
        network_score = read_numbers(coordinates, NETWORK_SCORE_ATTRIBUTE)[item, 0]
    kept = getattr(selected, "outputCoordinates", None)
    accepted = np.isin(_ids(coordinates)[item], [] if kept is None else _ids(kept))
    # Where it was chosen from the scores: Scipion's database rounds what it keeps.
    threshold = (
        float(selected.threshold.get())
        if is_fixed(selected)
        else float(score[accepted].min(initial=np.inf))
    )
    return ScoredCandidates(
        candidates, score, network_score, spread, accepted, threshold
    )


def read_picked(picked: Protocol) -> ScoredCandidates:
    """Return the result of *pick with a network*: every pick is accepted.

    The score is the probability that it has on its picks.
    """
    coordinates = picked.outputCoordinates
    micrographs = coordinates.getMicrographs()
    (picker,) = read_observed(coordinates).pickers
    picks = picks_from_set(coordinates, picker=picker, micrographs=micrographs)
    scored = coordinates_from_set(coordinates, micrographs=micrographs)
    candidates = Candidates.of_one(picks)
    own = [scored[name].scores for name in candidates.micrographs]
    score = np.concatenate([np.empty(0), *own])
    return ScoredCandidates(
        candidates,
        score,
        network_score=score,
        spread=np.full(len(score), np.nan),
        accepted=np.ones(len(score), dtype=bool),
        threshold=float(score.min(initial=np.inf)),
    )


def scored_coordinates(scored: Protocol) -> SetOfCoordinates:
    """Return all candidates of a run that scored them."""
    of_one_form = getattr(scored, "outputCoordinatesScored", None)
    return scored.outputCoordinates if of_one_form is None else of_one_form


def is_fixed(selected: Protocol) -> bool:
    """Return whether the threshold of a selection was given, not chosen."""
    return THRESHOLD_MODES[selected.thresholdMode.get()] is ThresholdMode.FIXED


def _ids(items: Any) -> np.ndarray:
    return np.array(sorted(items.getIdSet()))

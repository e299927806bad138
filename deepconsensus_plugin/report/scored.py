# SPDX-License-Identifier: GPL-3.0-or-later
"""Scored candidates of a finished run, and which of them were accepted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pwem.objects import SetOfCoordinates
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import (
    AVERAGE_AMPLITUDE_ATTRIBUTE,
    GENERAL_MODEL_ATTRIBUTE,
    NETWORK_SCORE_ATTRIBUTE,
    REASON_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
)
from deepconsensus_plugin.convert import (
    candidates_and_items,
    coordinates_from_set,
    picks_from_set,
    read_observed,
)
from deepconsensus_plugin.core.acceptance.accept import Acceptance
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.averages.kinds import relative_amplitude
from deepconsensus_plugin.core.calibration.thresholds import ThresholdMode
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.kinds import Likeness
from deepconsensus_plugin.core.reasons import Reason, derive_reasons, read_reasons
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.protocols.deep_consensus.acceptance import readAcceptance
from deepconsensus_plugin.protocols.deep_consensus.protocol_score import (
    ProtDeepConsensusScore,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD_MODES
from deepconsensus_plugin.set_columns import (
    are_fused,
    read_columns,
    read_id_array,
    read_looks,
    read_numbers,
)


@dataclass(frozen=True, eq=False)
class ScoredCandidates:
    """Candidates, n, with what they scored and what became of them.

    Parameters
    ----------
    candidates : Candidates
        The OR set.
    network_score, spread : arrays, shape (n,)
        Mean of the networks and their spread; NaN for candidates without a score.
    acceptance : Acceptance
        What the selection kept, and why not the others; the score that it applies to.
    told : AcceptanceSummary
        Numbers of it, and what is expected of what is kept.
    general_model : array, shape (n,), optional
        Log-odds of the general model; NaN where it was not asked.
    likeness : Likeness, optional
        Of each to averages; None where they were not averaged.
    """

    candidates: Candidates
    network_score: FloatArray
    spread: FloatArray
    acceptance: Acceptance
    told: AcceptanceSummary
    general_model: FloatArray | None = None
    likeness: Likeness | None = None

    @property
    def score(self) -> FloatArray:
        """Score that the threshold applies to, shape (n,); NaN where there is none."""
        return self.acceptance.score

    @property
    def reason(self) -> IntArray:
        """Codes of `Reason`, shape (n,)."""
        return self.acceptance.reason

    @property
    def accepted(self) -> BoolArray:
        """Mask of what the selection kept, shape (n,)."""
        return self.acceptance.accepted

    @property
    def threshold(self) -> float:
        """Lowest score that is good enough; infinity where none is."""
        return self.acceptance.threshold


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
    general_model = None
    if GENERAL_MODEL_ATTRIBUTE in read_columns(coordinates, GENERAL_MODEL_ATTRIBUTE):
        general_model = read_numbers(coordinates, GENERAL_MODEL_ATTRIBUTE)[item, 0]
    reason = _reasons(selected, read_id_array(coordinates)[item], score)
    kept = readAcceptance(selected)
    acceptance = Acceptance(
        score,
        reason,
        _threshold(selected, score, reason),
        rule=None if kept is None else kept.rule,
        are_probabilities=are_fused(coordinates),
    )
    likeness = _likeness(coordinates, item, score)
    told = acceptance.summarise(scored.readCalibration(), likeness and likeness.kind)
    return ScoredCandidates(
        candidates, network_score, spread, acceptance, told, general_model, likeness
    )


def _likeness(
    coordinates: SetOfCoordinates, item: IntArray, score: FloatArray
) -> Likeness | None:
    """Return what averages tell of candidates, given which item each is."""
    kind = read_looks(coordinates)
    if kind is None:
        return None
    amplitude = read_numbers(coordinates, AVERAGE_AMPLITUDE_ATTRIBUTE)[item, 0]
    return Likeness(relative_amplitude(amplitude, score), kind[item])


def _reasons(selected: Protocol, ids: IntArray, score: FloatArray) -> IntArray:
    """Return what a selection made of candidates, given their ids.

    Where a set does not tell, as in early versions, or where another selection before
    rejected a candidate, its score has to.
    """
    kept = getattr(selected, "outputCoordinates", None)
    accepted = np.isin(ids, [] if kept is None else read_id_array(kept))
    reason = derive_reasons(score, accepted)
    for name in ("outputCoordinatesRejected", "outputCoordinatesScored"):
        items = getattr(selected, name, None)
        if items is None or REASON_ATTRIBUTE not in (
            columns := read_columns(items, REASON_ATTRIBUTE)
        ):
            continue
        codes = read_reasons(columns[REASON_ATTRIBUTE])
        known = read_id_array(items)
        row = np.searchsorted(known, ids).clip(max=len(known) - 1)
        reason = np.where(known[row] == ids, codes[row], reason)
    return reason


def _threshold(selected: Protocol, score: FloatArray, reason: IntArray) -> float:
    """Return the lowest score that was good enough."""
    if (kept := readAcceptance(selected)) is not None:
        return np.inf if np.isnan(kept.threshold) else kept.threshold
    if THRESHOLD_MODES[selected.thresholdMode.get()] is ThresholdMode.FIXED:
        return float(selected.threshold.get())
    # Where it was chosen from the scores: Scipion's database rounds what it keeps.
    return float(score[reason == Reason.ACCEPTED].min(initial=np.inf))


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
    acceptance = Acceptance(
        score,
        np.full(len(score), Reason.ACCEPTED.value),
        float(score.min(initial=np.inf)),
        rule=None,
        are_probabilities=False,
    )
    unknown = np.full(len(score), np.nan)
    return ScoredCandidates(
        candidates, score, unknown, acceptance, acceptance.summarise()
    )


def scored_coordinates(scored: Protocol) -> SetOfCoordinates:
    """Return all candidates of a run that scored them.

    Raises
    ------
    ValueError
        If it scored given particles, which lie nowhere.
    """
    if scores_given_particles(scored):
        raise ValueError(
            f"{scored.getRunName()}: it scored given particles, and not places on "
            "micrographs; export --format star writes those that are kept"
        )
    of_one_form = getattr(scored, "outputCoordinatesScored", None)
    return scored.outputCoordinates if of_one_form is None else of_one_form


def scores_given_particles(scored: Protocol) -> bool:
    """Return whether a run scored particles in stacks instead of places."""
    return isinstance(scored, ProtDeepConsensusScore) and scored.hasStacks()

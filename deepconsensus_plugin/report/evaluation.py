# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation against the truth: of accepted candidates, and of all candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from pwem.objects import SetOfMicrographs
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import (
    coordinates_from_set,
    micrographs_from_set,
    picks_from_set,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.metrics.evaluation import (
    evaluate_picks,
    rank_accepted_first,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray, ScoredCoordinates
from deepconsensus_plugin.protocols.consensus.picker_names import pickerNames

UNION, AGREED = "union (OR)", "agreed (AND)"
ACCEPTED, LATTICE = "accepted", "blind lattice"

_COMPARED = (
    *("n_accepted", "n_matched", "precision", "recall", "f1"),
    *("average_precision", "best_f1"),
)
"""The figures that every compared set has in ``summary.json``."""


@dataclass(frozen=True, eq=False)
class Truth:
    """True particles that picks are compared with.

    Parameters
    ----------
    micrographs : SetOfMicrographs
        Those of the true coordinates; figures are in their pixels.
    coordinates : mapping of micrograph name to ScoredCoordinates
        The true particles.
    box_size : int
        Pixels.
    radius_px : float
        Largest distance of a match, pixels.
    """

    micrographs: SetOfMicrographs
    coordinates: Mapping[str, ScoredCoordinates]
    box_size: int
    radius_px: float

    @classmethod
    def of(cls, evaluated: Protocol) -> Truth:
        """Return the truth and the radius that a `ProtEvaluatePicks` was given."""
        truth = evaluated.inputTruth.get()
        micrographs, box_size = truth.getMicrographs(), truth.getBoxSize()
        return cls(
            micrographs,
            coordinates_from_set(truth, micrographs=micrographs),
            box_size,
            evaluated.matchRadius.get() * box_size,
        )

    def evaluate(
        self,
        picks: Mapping[str, ScoredCoordinates],
        *,
        threshold: float | None = None,
    ) -> dict[str, Any]:
        """Return what ``metrics.json`` holds of picks, in pixels of the truth."""
        return evaluate_picks(
            picks,
            self.coordinates,
            {m.name: m.shape for m in micrographs_from_set(self.micrographs)},
            box_size=self.box_size,
            radius_px=self.radius_px,
            threshold=threshold,
        ).to_dict()


def evaluate_accepted(
    truth: Truth,
    candidates: Candidates,
    score: FloatArray,
    accepted: BoolArray,
    *,
    threshold: float,
) -> dict[str, Any]:
    """Return what ``metrics.json`` holds, with `accepted` as what is accepted.

    Parameters
    ----------
    truth : Truth
        What is true.
    candidates : Candidates
        All of them, n, on the micrographs of the truth.
    score : array, shape (n,)
        NaN for candidates without a score.
    accepted : array, shape (n,), bool
        What the selection kept.
    threshold : float
        The lowest score that it accepted.
    """
    kept = _of_observed(candidates, accepted.astype(float))
    ranked, lowest = rank_accepted_first(
        _of_observed(candidates, score),
        {name: each.take(each.scores > 0) for name, each in kept.items()},
    )
    figures = truth.evaluate(ranked, threshold=lowest)
    return {**figures, "threshold": threshold if np.isfinite(threshold) else None}


def evaluate_pickers(
    truth: Truth, consensus: Protocol, candidates: Candidates
) -> dict[str, dict[str, Any]]:
    """Return the figures of each picker, of what all found, and of what is agreed on.

    Parameters
    ----------
    truth : Truth
        What is true.
    consensus : Protocol
        The `ProtDeepConsensusPicks` that the pickers went into.
    candidates : Candidates
        What came out of it, on the micrographs of the truth; the score of the union
        is the number of votes.
    """
    pointers = consensus.inputCoordinates
    compared = {
        name: picks_from_set(
            pointer.get(), picker=name, micrographs=truth.micrographs
        ).coordinates
        for name, pointer in zip(pickerNames(pointers), pointers, strict=True)
    }
    compared[UNION] = _of_observed(candidates, candidates.votes.astype(float))
    compared[AGREED] = coordinates_from_set(
        consensus.outputCoordinatesAND, micrographs=truth.micrographs
    )
    return {name: truth.evaluate(picks) for name, picks in compared.items()}


def compare(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``summary.json`` holds of all compared sets, the floor last.

    Parameters
    ----------
    figures : mapping
        Content of ``metrics.json``: of what is accepted, under ``pickers`` of the sets
        that it came from.
    """
    compared = {
        **figures["pickers"],
        ACCEPTED: figures,
        LATTICE: figures["blind_lattice"],
    }
    shared = ("n_truth", "n_micrographs", "radius_px")
    return {
        **{name: figures[name] for name in shared},
        "rows": [
            {
                "picks": picks,
                **{name: found[name] for name in _COMPARED},
                "f1_interval": found.get("intervals", {}).get("f1"),
            }
            for picks, found in compared.items()
        ],
    }


def _of_observed(
    candidates: Candidates, score: FloatArray
) -> dict[str, ScoredCoordinates]:
    """Return the candidates of every micrograph that any picker was run on."""
    by_micrograph = candidates.by_micrograph(score)
    is_observed = candidates.observed.any(axis=1)
    return {
        name: by_micrograph[name]
        for name in compress(candidates.micrographs, is_observed.tolist())
    }

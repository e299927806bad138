# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of exactly the candidates that a selection accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import coordinates_from_set, micrographs_from_set
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.metrics.evaluation import evaluate_picks
from deepconsensus_plugin.core.types import BoolArray, FloatArray, ScoredCoordinates


def evaluate_accepted(
    evaluated: Protocol,
    candidates: Candidates,
    score: FloatArray,
    accepted: BoolArray,
    *,
    threshold: float,
) -> dict[str, Any]:
    """Return what ``metrics.json`` holds, with `accepted` as what is accepted.

    Parameters
    ----------
    evaluated : Protocol
        The comparison with the truth: its truth and its radius are taken.
    candidates : Candidates
        All of them, n, on the micrographs of the truth.
    score : array, shape (n,)
        NaN for candidates without a score.
    accepted : array, shape (n,), bool
        What the selection kept.
    threshold : float
        The lowest score that it accepted.
    """
    truth = evaluated.inputTruth.get()
    micrographs = truth.getMicrographs()
    radius_px = evaluated.matchRadius.get() * truth.getBoxSize()
    # The first N leave out ties of the N-th; a hair lower, they are not accepted.
    below = np.nextafter(threshold, -np.inf)
    lowered = np.where(accepted, score, np.minimum(score, below))
    return evaluate_picks(
        by_micrograph(candidates, lowered),
        coordinates_from_set(truth, micrographs=micrographs),
        {m.name: m.shape for m in micrographs_from_set(micrographs)},
        box_size=truth.getBoxSize(),
        radius_px=radius_px,
        threshold=threshold,
    ).to_dict()


def by_micrograph(
    candidates: Candidates, score: FloatArray
) -> dict[str, ScoredCoordinates]:
    """Return the candidates of every micrograph that any picker was run on."""
    return {
        name: ScoredCoordinates(candidates.yx[rows], score[rows])
        for i, name in enumerate(candidates.micrographs)
        if candidates.observed[i].any()
        for rows in [candidates.micrograph_index == i]
    }

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of a job, joined to the items of the input set.

A job works micrograph by micrograph and has a row per candidate; a set may hold its
items in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pyworkflow.object import Float, String

from deepconsensus_plugin.constants import (
    GENERAL_MODEL_ATTRIBUTE,
    LOOKS_LIKE_ATTRIBUTE,
    NETWORK_SCORE_ATTRIBUTE,
    PICKER_SCORE_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    REASON_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
)
from deepconsensus_plugin.convert import AveragedItems, ItemRows, with_area_distance
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.kinds import kinds_in_words
from deepconsensus_plugin.core.reasons import in_words
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Scored coordinates, n, in the order of their ids.

    Parameters
    ----------
    items : ItemRows
        The coordinates.
    yx : array, shape (n, 2)
        Where they are, pixels of the micrographs that were picked.
    micrographs : tuple of str
        Names.
    micrograph, index : arrays, shape (n,), int
        Which micrograph each lies on, and its number in the stack of this one, from 1.
    hasParticle : array, shape (n,), bool
        Of which a particle is written.
    """

    items: ItemRows
    yx: FloatArray
    micrographs: tuple[str, ...]
    micrograph: IntArray
    index: IntArray
    hasParticle: BoolArray

    def take(self, chosen: BoolArray) -> ScoredRows:
        """Return those that are `chosen`."""
        return replace(
            self,
            items=self.items.take(chosen),
            **{
                name: getattr(self, name)[chosen]
                for name in ("yx", "micrograph", "index", "hasParticle")
            },
        )


def scoredRows(
    items: ItemRows,
    candidates: Candidates,
    positions: IntArray,
    score: FloatArray,
    networks: EnsembleScores,
    *,
    isWhole: BoolArray,
    reason: IntArray | None = None,
    generalModel: FloatArray | None = None,
    averaged: AveragedItems | None = None,
) -> ScoredRows:
    """Return the items that were scored, with their scores as attributes.

    Parameters
    ----------
    items : ItemRows
        Scored items, in the order of ids.
    candidates : Candidates
        Candidates given to the job, n rows.
    positions : array, shape (n,), int
        Which item each candidate is, from 0 in their order. Items that are not there
        were left out, and are passed over.
    score : array, shape (n,)
        Score that a threshold applies to, 0 - 1.
    networks : EnsembleScores
        Scores from the job, n rows.
    isWhole : array, shape (n,), bool
        Which candidates can be particles: their box does not leave the micrograph, or
        may leave it.
    reason : array, shape (n,), int, optional
        Codes of `Reason`, for an attribute of the items. None: they get none.
    generalModel : array, shape (n,), optional
        Log-odds of the general model, likewise. None, or NaN alone: they get none.
    averaged : AveragedItems, optional
        What averages tell of the candidates, by row, likewise; what they look like is
        told with `score` for the probability of each.

    Raises
    ------
    ValueError
        If there are more or fewer scores than candidates.
    """
    if not len(score) == len(networks.mean) == len(candidates):
        raise ValueError(
            f"expected {len(candidates)} scores, one for each candidate, received "
            f"{len(score)} and {len(networks.mean)} of the networks. Restart the run, "
            "so that all are scored again"
        )
    rows = np.argsort(positions, kind="stable")
    found = items.take(positions[rows])
    for name, values in (
        (SCORE_ATTRIBUTE, score),
        (NETWORK_SCORE_ATTRIBUTE, networks.mean),
        (SPREAD_ATTRIBUTE, networks.spread),
    ):
        found = found.with_attribute(name, Float, values[rows])
    if generalModel is not None and not np.isnan(generalModel).all():
        values = generalModel[rows]
        found = found.with_attribute(GENERAL_MODEL_ATTRIBUTE, Float, values)
    found = _withPickerScore(found, score[rows])
    if reason is not None:
        words = in_words(reason[rows])
        found = found.with_attribute(REASON_ATTRIBUTE, String, words)
    if averaged is not None:
        kinds = kinds_in_words(averaged.likeness(candidates, score).kind[rows])
        found = found.with_attribute(LOOKS_LIKE_ATTRIBUTE, String, kinds)
        found = averaged.described(found, rows)
    found = with_area_distance(found, candidates.area_distance_px[rows])
    micrograph = candidates.micrograph_index
    index = np.arange(len(candidates)) - np.searchsorted(micrograph, micrograph) + 1
    return ScoredRows(
        *(found, candidates.yx[rows], candidates.micrographs),
        *(micrograph[rows], index[rows], isWhole[rows]),
    )


def _withPickerScore(items: ItemRows, score: FloatArray) -> ItemRows:
    """Return items with the score as RELION's plugin reads it.

    What has no provenance keeps its picker's own.
    """
    finders = items.values_of(PICKERS_ATTRIBUTE)
    known = np.array([bool(each) for each in finders], dtype=bool)
    if not known.any():
        return items
    own = np.array(items.values_of(PICKER_SCORE_ATTRIBUTE), dtype=np.float64)
    values = np.where(known, score, own)
    return items.with_attribute(PICKER_SCORE_ATTRIBUTE, Float, values)

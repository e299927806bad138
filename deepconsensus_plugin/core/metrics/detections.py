# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks matched with the truth, from which every detection metric is computed.

Two matchings are kept. Over all picks, better scores first, for the figures that run
over thresholds; over the accepted picks, closest first, for how well they are centred.
Both find the same number of true particles among the accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.metrics.classification import (
    ThresholdCounts,
    count_at_thresholds,
)
from deepconsensus_plugin.core.metrics.matching import (
    match_best_first,
    match_coordinates,
)
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    ScoredCoordinates,
)

_NO_PICKS = ScoredCoordinates.from_arrays([])


@dataclass(frozen=True, eq=False)
class MatchedPicks:
    """Picks of m evaluated micrographs, n in all, matched with the truth.

    Parameters
    ----------
    radius_px : float
        Largest distance of a match, pixels.
    threshold : float or None
        Score from which picks are accepted; None accepts all, scored or not.
    micrographs : tuple of str
        Names, sorted, m.
    n_truth : array, shape (m,), int
        True particles.
    micrograph_index : array, shape (n,), int
        Row of `micrographs` of each pick.
    scores : array, shape (n,)
        NaN where there is none.
    is_match : array, shape (n,), bool
        Whether the pick is matched when better scores are matched first.
    is_accepted : array, shape (n,), bool
        Whether it passes `threshold`.
    offsets_yx : array, shape (k, 2)
        Pick minus truth of the accepted, matched picks, pixels.
    """

    radius_px: float
    threshold: float | None
    micrographs: tuple[str, ...]
    n_truth: IntArray
    micrograph_index: IntArray
    scores: FloatArray
    is_match: BoolArray
    is_accepted: BoolArray
    offsets_yx: FloatArray

    def count(self, chosen: BoolArray) -> IntArray:
        """Return how many of the `chosen` picks each micrograph has, shape (m,)."""
        return np.bincount(
            self.micrograph_index[chosen], minlength=len(self.micrographs)
        )

    def counts_at_thresholds(self) -> ThresholdCounts:
        """Return matches and picks at every distinct score, over all micrographs."""
        scored = ~np.isnan(self.scores)
        return count_at_thresholds(self.is_match[scored], self.scores[scored])


def match_picks(
    picks: Mapping[str, ScoredCoordinates],
    truth: Mapping[str, ScoredCoordinates],
    *,
    radius_px: float,
    threshold: float | None = None,
) -> MatchedPicks:
    """Return the picks of evaluated micrographs, matched with the truth.

    Parameters
    ----------
    picks, truth : mapping of micrograph name to ScoredCoordinates
        Micrographs that are not in `truth` are left out; those that are not in `picks`
        count as missed (leave them out of `truth` where a picker was not run).
    radius_px : float
        Largest distance of a match, pixels.
    threshold : float, optional
        Picks scored this or better are accepted. Default: all, scored or not.

    Raises
    ------
    ValueError
        If `radius_px` is negative or not finite.
    """
    micrographs = tuple(sorted(truth))
    present = [picks.get(name, _NO_PICKS) for name in micrographs]
    pairs = list(zip(present, (truth[name] for name in micrographs), strict=True))
    accepted = [_is_accepted(found.scores, threshold) for found in present]
    matches = [
        match_best_first(found.yx, found.scores, true.yx, radius_px)
        for found, true in pairs
    ]
    offsets = [
        _offsets(found.take(chosen), true, radius_px)
        for (found, true), chosen in zip(pairs, accepted, strict=True)
    ]
    sizes = [len(found) for found in present]
    none = _NO_PICKS.scores
    return MatchedPicks(
        radius_px=radius_px,
        threshold=threshold,
        micrographs=micrographs,
        n_truth=np.array([len(true) for _, true in pairs], dtype=np.intp),
        micrograph_index=np.repeat(np.arange(len(micrographs)), sizes),
        scores=np.concatenate([none, *(found.scores for found in present)]),
        is_match=np.concatenate([none.astype(bool), *matches]),
        is_accepted=np.concatenate([none.astype(bool), *accepted]),
        offsets_yx=np.concatenate([_NO_PICKS.yx, *offsets]),
    )


def _is_accepted(scores: FloatArray, threshold: float | None) -> BoolArray:
    if threshold is None:
        return np.ones(len(scores), dtype=bool)
    return np.asarray(scores >= threshold)


def _offsets(
    picks: ScoredCoordinates, truth: ScoredCoordinates, radius_px: float
) -> FloatArray:
    """Return pick minus truth of the matched pairs, shape (k, 2)."""
    pick_index, truth_index = match_coordinates(picks.yx, truth.yx, radius_px)
    return picks.yx[pick_index] - truth.yx[truth_index]

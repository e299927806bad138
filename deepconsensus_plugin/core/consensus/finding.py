# SPDX-License-Identifier: GPL-3.0-or-later
"""Consensus of several pickers: the OR set of candidates, and AND within it.

Deep Consensus, section 2.3, defines AND as a running intersection, one picker after
another, in which a pick may agree with several. Departures, on purpose: the result
does not depend on the order of the pickers, a picker votes once for a particle, two
radii define *who agrees* (consensus) and *what is one particle* (merge), and OR holds
one coordinate per particle. On each micrograph:

0.  Each picker's own duplicates within the merge radius go; the best score stays.
1.  Picks are grouped, closest pair first, within the consensus radius: agreement.
2.  Those groups are grouped on, by the same rule, within the merge radius: candidates.
3.  A candidate within the merge radius of a stronger one (more votes, then tighter)
    is absorbed: its votes count for the stronger, its position is not used.

Ties are settled by coordinates (y, then x), then by the names of the pickers.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.grouping import (
    absorb_weaker,
    group_closest_first,
)
from deepconsensus_plugin.core.consensus.pick_groups import (
    PickGroups,
    PickPairs,
    close_pairs,
    first_members,
    scatter_of,
)
from deepconsensus_plugin.core.consensus.pick_table import PickTable, blocks_of_picks
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray, PickerPicks

logger = logging.getLogger(__name__)


def find_consensus(
    pickers: Sequence[PickerPicks],
    *,
    consensus_radius_px: float,
    merge_radius_px: float,
) -> Candidates:
    """Return the candidates of all pickers: one per particle, with provenance.

    Parameters
    ----------
    pickers : sequence of PickerPicks
        In any order; names differ.
    consensus_radius_px : float
        Picks of different pickers at this distance or closer agree; > 0.
    merge_radius_px : float
        Picks at this distance or closer are one particle; >= consensus_radius_px.

    Returns
    -------
    Candidates
        On the micrographs that any picker observed; no two candidates of a micrograph
        are within the merge radius. Rows by micrograph, y, x.

    Raises
    ------
    ValueError
        If the radii do not fit, there is no picker, or two have one name.
    """
    if not 0 < consensus_radius_px <= merge_radius_px < np.inf:
        raise ValueError(
            "expected 0 < consensus_radius_px <= merge_radius_px, received "
            f"{consensus_radius_px} and {merge_radius_px}"
        )
    pickers = _sorted_by_name(pickers)
    micrographs = tuple(sorted(set().union(*(p.coordinates for p in pickers))))
    names = tuple(p.picker for p in pickers)
    observed = np.zeros((len(micrographs), len(names)), dtype=bool)
    for column, picker in enumerate(pickers):
        observed[:, column] = [name in picker.coordinates for name in micrographs]
    blocks = [
        _resolve(picks, names, consensus_radius_px, merge_radius_px)
        for picks in blocks_of_picks(pickers, micrographs)
    ]
    candidates = Candidates.empty(names).followed_by(blocks)
    return replace(candidates, micrographs=micrographs, observed=observed)


def _sorted_by_name(pickers: Sequence[PickerPicks]) -> list[PickerPicks]:
    names = sorted(p.picker for p in pickers)
    if not names:
        raise ValueError("expected at least one picker, received none")
    if len(set(names)) < len(names):
        raise ValueError(f"expected pickers of different names, received {names}")
    return sorted(pickers, key=lambda p: p.picker)


def _resolve(
    picks: PickTable, names: tuple[str, ...], consensus_px: float, merge_px: float
) -> Candidates:
    """Return the candidates of some whole micrographs (stages 0 to 3)."""
    picks, near = _without_duplicates(picks, names, merge_px)
    single = _singles(picks, names)
    group_of_pick = group_closest_first(single, near.within(consensus_px), consensus_px)
    groups = single.joined(group_of_pick)
    near = near.between(groups, group_of_pick)
    row_of_group = group_closest_first(groups, near.within(merge_px), merge_px)
    rows = groups.joined(row_of_group)
    near = near.between(rows, row_of_group).within(merge_px)
    row_of_pick = row_of_group[group_of_pick]
    largest = _largest_groups(groups, row_of_group, scatter_of(picks.yx, group_of_pick))
    strongest_first = np.lexsort((scatter_of(picks.yx, row_of_pick), -rows.sizes))
    owner = absorb_weaker(strongest_first, near)
    found, scores = _votes(picks, owner[row_of_pick], (len(rows), len(names)))
    y, x = rows.centres.T
    order = np.lexsort((x, y, rows.micrograph))
    kept = order[owner[order] == order]
    return replace(
        Candidates.empty(names),
        micrograph_index=rows.micrograph[kept],
        yx=rows.centres[kept],
        found=found[kept],
        picker_scores=scores[kept],
        agreement=groups.sizes[largest[kept]],
        agreed_yx=groups.centres[largest[kept]],
        area_distance_px=np.full(len(kept), np.inf),
    )


def _singles(picks: PickTable, names: Sequence[str]) -> PickGroups:
    return PickGroups.of_picks(picks.micrograph, picks.yx, picks.picker, len(names))


def _without_duplicates(
    picks: PickTable, names: Sequence[str], radius_px: float
) -> tuple[PickTable, PickPairs]:
    """Return each picker's picks without duplicates, and the close pairs left.

    The pairs reach far enough to hold one of every two groups whose centres are within
    the radius: log2(k) / 4 squared radii bound the variance of a group of k picks that
    grew within it, and some pair is as close as the mean over all.
    """
    single = _singles(picks, names)
    pairs = close_pairs(single, radius_px * np.sqrt(1 + np.log2(len(names)) / 2))
    near = pairs.within(radius_px)
    same = single.share_picker(near.first, near.second)
    best_first = np.argsort(-picks.scores, kind="stable")  # NaN comes last
    owner = absorb_weaker(best_first, near.take(same))
    stays = owner == np.arange(len(owner))
    for index, count in enumerate(np.bincount(picks.picker[~stays])):
        if count:
            logger.info("%s: dropped %d of its own duplicates", names[index], count)
    return picks.take(stays), pairs.among(stays)


def _largest_groups(
    groups: PickGroups, row_of_group: IntArray, scatter: FloatArray
) -> IntArray:
    """Return each candidate's largest agreeing group; the tightest among equals."""
    order = np.lexsort((scatter, -groups.sizes, row_of_group))
    return np.asarray(order[first_members(row_of_group[order])])


def _votes(
    picks: PickTable, row_of_pick: IntArray, shape: tuple[int, int]
) -> tuple[BoolArray, FloatArray]:
    """Return who found each candidate, and the best score each of them gave it."""
    found = np.zeros(shape, dtype=bool)
    found[row_of_pick, picks.picker] = True
    scores = np.full(shape, np.nan)
    cell = row_of_pick * shape[1] + picks.picker
    np.fmax.at(scores.reshape(-1), cell, picks.scores)
    return found, scores


def choose_min_pickers(candidates: Candidates, *, min_positives: int) -> int:
    """Return how many pickers should agree: the strictest with enough particles left.

    Parameters
    ----------
    candidates : Candidates
        Candidates of any number of pickers.
    min_positives : int
        Particles that training needs.

    Returns
    -------
    int
        The largest m, from the number of pickers down to 2, at which at least
        `min_positives` particles remain. If none leaves so many it is 2; with a
        single picker it is 1. Callers compare and warn.
    """
    n_pickers = len(candidates.pickers)
    for m in range(n_pickers, 1, -1):
        if candidates.is_agreed(m).sum() >= min_positives:
            return m
    return min(2, n_pickers)


def subtract_picks(a: PickerPicks, b: PickerPicks, *, radius_px: float) -> PickerPicks:
    """Return the picks in A that are not in B, matched one to one.

    Parameters
    ----------
    a, b : PickerPicks
        Their names may be equal.
    radius_px : float
        Pairs at this distance or closer match, closest first; > 0. A pick of B takes
        away one pick of A, so that a duplicate in A outlives it.

    Returns
    -------
    PickerPicks
        Picks of A on micrographs that both observed, in A's order. Micrographs that B
        did not observe are left out, since B was not run there.

    Raises
    ------
    ValueError
        If `radius_px` is not positive.
    """
    if not 0 < radius_px < np.inf:
        raise ValueError(f"expected radius_px > 0, received {radius_px}")
    left = {
        name: picks.take(_unmatched(picks.yx, b.coordinates[name].yx, radius_px))
        for name, picks in a.coordinates.items()
        if name in b.coordinates
    }
    return replace(a, coordinates=left)


def _unmatched(a: FloatArray, b: FloatArray, radius_px: float) -> BoolArray:
    """Return which of `a` have no partner in `b`, whatever the order of either."""
    yx = np.concatenate([a, b])
    picker = np.repeat([0, 1], [len(a), len(b)])
    order = np.lexsort((picker, yx[:, 1], yx[:, 0]))
    where = np.zeros(len(yx), dtype=np.intp)
    single = PickGroups.of_picks(where, yx[order], picker[order], 2)
    joint = group_closest_first(single, close_pairs(single, radius_px), radius_px)
    alone = np.empty(len(yx), dtype=bool)
    alone[order] = np.bincount(joint)[joint] == 1
    return alone[: len(a)]

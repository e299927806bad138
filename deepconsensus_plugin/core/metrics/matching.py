# SPDX-License-Identifier: GPL-3.0-or-later
"""One-to-one matching of picks with true centres, the base of every detection figure.

Only pairs within the radius are edges of a sparse bipartite graph, so memory grows with
the number of neighbours, never with picks times truths. The assignment is exact
(Jonker-Volgenant on the sparse graph): each pick also has an edge to a partner of its
own that means *unmatched*, at a cost so high that a match is always preferred.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


def match_coordinates(
    picks_yx: FloatArray, truth_yx: FloatArray, radius_px: float
) -> tuple[IntArray, IntArray]:
    """Return the pairs of picks and truths: as many as possible, then as close.

    Parameters
    ----------
    picks_yx : array, shape (p, 2)
        Centres, pixels.
    truth_yx : array, shape (t, 2)
        True centres, pixels.
    radius_px : float
        Largest distance of a pair, included; >= 0, pixels.

    Returns
    -------
    pick_index, truth_index : arrays, shape (k,), int
        Row numbers of the k pairs, `pick_index` ascending. Every pick and every truth
        is in at most one pair; k is the largest possible, and among all such matchings
        the sum of the distances is the smallest.

    Raises
    ------
    ValueError
        If `radius_px` is negative or not finite.
    """
    return _match(picks_yx, truth_yx, radius_px, np.ones(len(picks_yx)))


def match_best_first(
    picks_yx: FloatArray, scores: FloatArray, truth_yx: FloatArray, radius_px: float
) -> BoolArray:
    """Return which picks are matched when better scores go first.

    The picks above *any* threshold contain as many matches as they would have if they
    were matched among themselves: sets of picks that can be matched together form a
    matroid, in which the heaviest set is also the one grown greedily. One matching thus
    serves a whole precision-recall curve.

    Parameters
    ----------
    picks_yx : array, shape (p, 2)
        Centres, pixels.
    scores : array, shape (p,)
        Higher is better; NaN comes after every number.
    truth_yx : array, shape (t, 2)
        True centres, pixels.
    radius_px : float
        Largest distance of a pair, included; >= 0, pixels.

    Returns
    -------
    array, shape (p,), bool
        True for matched picks.

    Raises
    ------
    ValueError
        If `radius_px` is negative or not finite.
    """
    comparable = np.where(np.isnan(scores), -np.inf, scores)
    rank = np.unique(comparable, return_inverse=True)[1].reshape(-1) + 1.0
    is_match = np.zeros(len(picks_yx), dtype=bool)
    is_match[_match(picks_yx, truth_yx, radius_px, rank)[0]] = True
    return is_match


def _match(
    picks_yx: FloatArray, truth_yx: FloatArray, radius_px: float, priority: FloatArray
) -> tuple[IntArray, IntArray]:
    """Return the matching of largest total `priority` (>= 1), then least distance."""
    if not (radius_px >= 0 and np.isfinite(radius_px)):
        raise ValueError(f"radius_px must be >= 0 and finite, received {radius_px}")
    pairs = _pairs_within(picks_yx, truth_yx, radius_px)
    pick, truth = pairs["i"], pairs["j"]
    # Most pairs have no other pick or truth near: they match, whatever the rest does.
    lone = (np.bincount(pick)[pick] == 1) & (np.bincount(truth)[truth] == 1)
    contested = _match_contested(pairs[~lone], priority, radius_px)
    pick = np.concatenate([pick[lone], contested[0]])
    truth = np.concatenate([truth[lone], contested[1]])
    order = np.argsort(pick)
    return pick[order], truth[order]


def _match_contested(
    pairs: NDArray[np.void], priority: FloatArray, radius_px: float
) -> tuple[IntArray, IntArray]:
    """Return the best matching among pairs that share picks or truths."""
    picks, pick = np.unique(pairs["i"], return_inverse=True)
    truths, truth = np.unique(pairs["j"], return_inverse=True)
    if not len(pairs):
        return picks, truths
    n_picks, n_truth = len(picks), len(truths)
    # One more step of priority outweighs all distances together; + 1 because the solver
    # takes a cost of zero for a missing edge.
    priority_step = (min(n_picks, n_truth) + 1) * (radius_px + 1)
    own = np.arange(n_picks)
    cost = np.concatenate([pairs["v"] + 1, priority[picks] * priority_step])
    rows = np.concatenate([pick, own])
    columns = np.concatenate([truth, n_truth + own])
    graph = csr_matrix((cost, (rows, columns)), shape=(n_picks, n_truth + n_picks))
    chosen, partner = min_weight_full_bipartite_matching(graph)
    matched = partner < n_truth
    return picks[chosen[matched]], truths[partner[matched]]


def _pairs_within(
    picks_yx: FloatArray, truth_yx: FloatArray, radius_px: float
) -> NDArray[np.void]:
    """Return records ``i`` (pick), ``j`` (truth), ``v`` (distance) of all pairs."""
    trees = (cKDTree(np.reshape(yx, (-1, 2))) for yx in (picks_yx, truth_yx))
    found: NDArray[np.void] = next(trees).sparse_distance_matrix(
        next(trees), radius_px, output_type="ndarray"
    )
    return found

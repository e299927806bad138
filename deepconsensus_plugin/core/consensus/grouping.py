# SPDX-License-Identifier: GPL-3.0-or-later
"""Greedy rules of the consensus: group the closest first, keep the strongest.

Both are defined one step after another, and both are carried out many steps at a
time: a step that comes first among all those touching the same things has the same
outcome whenever it is taken, so that all such steps are taken at once, until none is
left. The result equals that of the slow loop exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepconsensus_plugin.core.consensus.pick_groups import PickGroups, PickPairs
from deepconsensus_plugin.core.types import BoolArray, IntArray


def group_closest_first(
    groups: PickGroups, pairs: PickPairs, radius_px: float
) -> IntArray:
    """Join groups, closest pair first, and say which went together.

    Parameters
    ----------
    groups : PickGroups
        In an order that does not depend on how the input was ordered: it settles ties.
    pairs : PickPairs
        What may start a joint: taken closest first, each once. A pair joins what its
        two groups have become if these share no picker and their centres are (still)
        within the radius.
    radius_px : float
        Centres at this distance or closer may join; > 0.

    Returns
    -------
    array, shape (g,), int
        The joint group of each, numbered 0 … by its first member.
    """
    pairs = pairs.take(~groups.share_picker(pairs.first, pairs.second)).closest_first()
    first, second = pairs.first, pairs.second
    parent = np.arange(len(groups))
    while len(first):
        ready = _foremost(first, second, len(groups))
        a, b = first[ready], second[ready]
        near = groups.squared_distances(a, b) <= radius_px**2
        a, b = np.minimum(a[near], b[near]), np.maximum(a[near], b[near])
        parent[b] = a
        groups = _with_added(groups, a, b)
        first, second = parent[first[~ready]], parent[second[~ready]]
        possible = ~groups.share_picker(first, second)
        first, second = first[possible], second[possible]
    is_root = parent == np.arange(len(parent))
    while not is_root[parent].all():
        parent = parent[parent]
    return np.asarray((np.cumsum(is_root) - 1)[parent])


def _foremost(first: IntArray, second: IntArray, n: int) -> BoolArray:
    """Return which pairs come before every other pair of either of their members."""
    order = np.arange(len(first))
    earliest = np.empty(n, dtype=np.intp)
    ends = np.concatenate([first[::-1], second[::-1]])
    earliest[ends] = len(first)
    np.minimum.at(earliest, ends, np.tile(order[::-1], 2))
    return np.asarray((earliest[first] == order) & (earliest[second] == order))


def _with_added(groups: PickGroups, a: IntArray, b: IntArray) -> PickGroups:
    """Return the groups with `b` added to `a`; every index occurs once."""
    sums, sizes = groups.sums.copy(), groups.sizes.copy()
    pickers = groups.pickers.copy()
    sums[a] = sums[a] + sums[b]
    sizes[a] = sizes[a] + sizes[b]
    pickers[a] |= pickers[b]
    return replace(groups, sums=sums, sizes=sizes, pickers=pickers)


def absorb_weaker(strongest_first: IntArray, neighbours: PickPairs) -> IntArray:
    """Return who absorbs each thing; the strongest absorb their neighbours first.

    Parameters
    ----------
    strongest_first : array, shape (n,), int
        Indices of the n things, strongest first.
    neighbours : PickPairs
        Pairs of which only one may stay.

    Returns
    -------
    array, shape (n,), int
        Index of what absorbs each one: itself if it stays, else the strongest of its
        neighbours that stay. No two that stay are neighbours.
    """
    rank = np.empty(len(strongest_first), dtype=np.intp)
    rank[strongest_first] = np.arange(len(rank))
    first, second = neighbours.first, neighbours.second
    swap = rank[first] > rank[second]
    strong, weak = np.where(swap, second, first), np.where(swap, first, second)
    stays = _find_staying(len(rank), strong, weak)
    taking = stays[strong] & ~stays[weak]
    strong, weak = strong[taking], weak[taking]
    owner = np.arange(len(rank))
    last_wins = np.argsort(-rank[strong])
    owner[weak[last_wins]] = strong[last_wins]
    return owner


def _find_staying(n: int, strong: IntArray, weak: IntArray) -> BoolArray:
    stays = np.ones(n, dtype=bool)
    while len(strong):
        threatened = np.zeros(n, dtype=bool)
        threatened[weak] = True
        stays[weak[~threatened[strong]]] = False
        undecided = stays[weak] & stays[strong] & threatened[strong]
        strong, weak = strong[undecided], weak[undecided]
    return stays

# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of picks of different pickers, and which of them lie close together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PickGroups:
    """Groups of picks, at most one of each picker; g groups of k pickers.

    Parameters
    ----------
    micrograph : array, shape (g,), int, ascending
        Micrograph of each group; groups of different micrographs are never joined.
    sums : array, shape (g, 2), float64
        Sums of the ``yx`` of their picks, pixels.
    sizes : array, shape (g,), int
        Numbers of picks.
    pickers : array, shape (g, k), bool
        Which pickers they have a pick of.
    """

    micrograph: IntArray
    sums: FloatArray
    sizes: IntArray
    pickers: BoolArray

    @classmethod
    def of_picks(
        cls, micrograph: IntArray, yx: FloatArray, picker: IntArray, n_pickers: int
    ) -> PickGroups:
        """Return one group for every pick."""
        pickers = picker[:, None] == np.arange(n_pickers)
        return cls(micrograph, yx, np.ones(len(yx), dtype=np.int64), pickers)

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.sizes)

    @property
    def centres(self) -> FloatArray:
        """Mean position of the picks, shape (g, 2), pixels."""
        return np.asarray(self.sums / self.sizes[:, None])

    def squared_distances(self, first: IntArray, second: IntArray) -> FloatArray:
        """Return squared distances between centres, px².

        Written as one quotient: exact, hence free of accidents at the radius and in
        ties, wherever the picks are whole pixels.
        """
        n, m = self.sizes[first], self.sizes[second]
        gap = self.sums[first] * m[:, None] - self.sums[second] * n[:, None]
        return np.asarray((gap[:, 0] ** 2 + gap[:, 1] ** 2) / (n * m) ** 2)

    def share_picker(self, first: IntArray, second: IntArray) -> BoolArray:
        """Return whether the groups of each pair have a picker in common."""
        shared = np.zeros(len(first), dtype=bool)
        for column in self.pickers.T:
            shared |= column[first] & column[second]
        return shared

    def joined(self, labels: IntArray) -> PickGroups:
        """Return the groups joined by `labels`: 0 …, by first member."""
        first = first_members(labels)
        pickers = np.zeros((len(first), self.pickers.shape[1]), dtype=bool)
        for picker, column in enumerate(self.pickers.T):
            pickers[labels[column], picker] = True
        return PickGroups(
            micrograph=self.micrograph[first],
            sums=np.stack([np.bincount(labels, w) for w in self.sums.T], axis=1),
            sizes=np.bincount(labels, self.sizes).astype(np.int64),
            pickers=pickers,
        )


@dataclass(frozen=True, eq=False)
class PickPairs:
    """Pairs of groups that lie close together; p pairs.

    Parameters
    ----------
    first, second : arrays, shape (p,), int
        Their indices, first < second.
    squared_distances : array, shape (p,), float64
        Between the centres, px².
    """

    first: IntArray
    second: IntArray
    squared_distances: FloatArray

    def take(self, selection: IntArray | BoolArray) -> PickPairs:
        """Return the pairs at `selection` (indices or a boolean mask)."""
        return PickPairs(
            self.first[selection],
            self.second[selection],
            self.squared_distances[selection],
        )

    def within(self, radius_px: float) -> PickPairs:
        """Return the pairs at this distance or closer."""
        return self.take(self.squared_distances <= radius_px**2)

    def among(self, stays: BoolArray) -> PickPairs:
        """Return the pairs whose members both stay, as indices into what stays."""
        left = self.take(stays[self.first] & stays[self.second])
        index = np.cumsum(stays) - 1
        return replace(left, first=index[left.first], second=index[left.second])

    def between(self, groups: PickGroups, labels: IntArray) -> PickPairs:
        """Return the pairs of the `groups` that the members now belong to.

        A pair of groups occurs as often as pairs of their members do.
        """
        a, b = labels[self.first], labels[self.second]
        apart = a != b
        a, b = a[apart], b[apart]
        first, second = np.minimum(a, b), np.maximum(a, b)
        return PickPairs(first, second, groups.squared_distances(first, second))

    def closest_first(self) -> PickPairs:
        """Return the pairs by distance; ties by first, then second."""
        order = (self.second, self.first, self.squared_distances)
        return self.take(np.lexsort(order))


def first_members(labels: IntArray) -> IntArray:
    """Return where each label, of 0 … all in use, comes first."""
    first = np.empty(labels.max(initial=-1) + 1, dtype=np.intp)
    first[labels[::-1]] = np.arange(len(labels))[::-1]  # the last one written stays
    return first


def scatter_of(yx: FloatArray, labels: IntArray) -> FloatArray:
    """Return each group's sum of squares about its centre, times its size, px².

    Taken from the group's first pick, so that whole pixels give whole numbers: ties
    are ties wherever on the micrograph the group lies.
    """
    y, x = (yx - yx[first_members(labels)][labels]).T
    squares = np.bincount(labels, y**2 + x**2) * np.bincount(labels)
    scatter = squares - np.bincount(labels, y) ** 2 - np.bincount(labels, x) ** 2
    return np.asarray(scatter)


def close_pairs(groups: PickGroups, radius_px: float) -> PickPairs:
    """Return all pairs on the same micrograph at this distance or closer.

    They come in no particular order, pairs that share a picker among them.
    """
    y, x = groups.centres.T
    # One tree for all: micrographs are set side by side, too far apart to touch. A
    # hair more than the radius lets the exact distances settle what rounding blurs.
    stride = np.ptp(y) + 2 * radius_px if len(y) else 0.0
    tree = cKDTree(
        np.stack([y + stride * (groups.micrograph - groups.micrograph[:1]), x], axis=1),
        balanced_tree=False,
        compact_nodes=False,
    )
    near = tree.query_pairs(radius_px * (1 + 1e-9), output_type="ndarray")
    first, second = near.T
    distances = groups.squared_distances(first, second)
    return PickPairs(first, second, distances).within(radius_px)

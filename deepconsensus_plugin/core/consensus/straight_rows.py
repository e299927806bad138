# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks in straight rows: what a picker of single particles makes of filaments."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

FEWEST = 5
"""Fewest picks of a row."""

_REACH = 1.5
"""Distance of neighbours, in mean diameters of the picks."""

_STRAIGHT = np.cos(np.radians(150))
"""Cosine of the angle at a pick between its two neighbours, at most: a bend of 30°."""


def find_straight_rows(yx: FloatArray, *, diameter_px: float) -> BoolArray:
    """Return which picks lie in straight rows that nothing lies beside.

    A pick is within a row if it has exactly two neighbours, on opposite sides: in ice
    full of particles there are more, all around. At least three such picks follow each
    other in a row, and those at its ends belong to it.

    Parameters
    ----------
    yx : array, shape (n, 2)
        Picks of one micrograph, pixels.
    diameter_px : float
        How far apart picks are along a filament, about; > 0.

    Returns
    -------
    array, shape (n,), bool

    Raises
    ------
    ValueError
        If the diameter is not positive.
    """
    if not diameter_px > 0:
        raise ValueError(f"diameter_px must be > 0, received {diameter_px}")
    n = len(yx)
    in_row = np.zeros(n, dtype=bool)
    if n < FEWEST:
        return in_row
    pairs = cKDTree(yx).query_pairs(_REACH * diameter_px, output_type="ndarray")
    both = np.concatenate([pairs, pairs[:, ::-1]])
    is_inner = _are_between(yx, both)
    # A row is inner picks that are neighbours, and the picks at its ends.
    kept = both[is_inner[both[:, 0]]]
    begin, end = kept.T.astype(np.int32)  # SciPy 1.11 takes no others
    graph = coo_array((np.ones(len(kept)), (begin, end)), shape=(n, n))
    _, row = connected_components(graph, directed=False)
    sizes = np.bincount(row, minlength=n)
    touched = np.zeros(n, dtype=bool)
    touched[kept.ravel()] = True
    return np.asarray(touched & (sizes[row] >= FEWEST))


def _are_between(yx: FloatArray, both: IntArray) -> BoolArray:
    """Return which picks have two neighbours, one on each side."""
    n_neighbours = np.bincount(both[:, 0], minlength=len(yx))
    order = np.argsort(both[:, 0], kind="stable")
    has_two = n_neighbours == 2
    found = both[order][has_two[both[order][:, 0]]].reshape(-1, 2, 2)
    middle, first, second = found[:, 0, 0], found[:, 0, 1], found[:, 1, 1]
    to_first, to_second = yx[first] - yx[middle], yx[second] - yx[middle]
    lengths = np.linalg.norm(to_first, axis=1) * np.linalg.norm(to_second, axis=1)
    cosine = (to_first * to_second).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    is_between = np.zeros(len(yx), dtype=bool)
    is_between[middle[cosine <= _STRAIGHT]] = True
    return is_between

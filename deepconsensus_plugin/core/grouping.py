# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of rows, such as those of one micrograph, from one sort of all rows.

A mask of all rows for every micrograph costs the product of both numbers: minutes for
the picks of some thousand micrographs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from deepconsensus_plugin.core.types import FloatArray, IntArray, ScoredCoordinates

Key = TypeVar("Key", bound=Hashable)


def rows_of_groups(group: IntArray, n_groups: int) -> list[IntArray]:
    """Return the rows of every group, in ascending order.

    Parameters
    ----------
    group : array, shape (n,), int
        Group of each row, from 0; rows of any other number are in no group.
    n_groups : int
        How many groups there are, those without a row included.

    Returns
    -------
    list of array, int
        `n_groups` arrays of indices.
    """
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(n_groups + 1))
    return [order[first:last] for first, last in pairwise(edges)]


def group_coordinates(
    names: Sequence[Key],
    yx: FloatArray,
    scores: FloatArray,
    *,
    micrographs: Sequence[Key] = (),
) -> dict[Key, ScoredCoordinates]:
    """Return the coordinates of every micrograph; those of one keep their order.

    Parameters
    ----------
    names : sequence of str, n
        Micrograph of each row.
    yx : array, shape (n, 2)
        Centres, pixels.
    scores : array, shape (n,)
        Scores; NaN where there is none.
    micrographs : sequence of str
        Come first and in this order, also those without a row. Others follow in order
        of first appearance.
    """
    numbers = {name: number for number, name in enumerate(dict.fromkeys(micrographs))}
    group = [numbers.setdefault(name, len(numbers)) for name in names]
    rows = rows_of_groups(np.array(group, dtype=np.intp), len(numbers))
    return {
        name: ScoredCoordinates.from_arrays(yx[here], scores[here])
        for name, here in zip(numbers, rows, strict=True)
    }

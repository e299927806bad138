# SPDX-License-Identifier: GPL-3.0-or-later
"""Outlines of areas of a mask, as closed lines between pixels.

Lines join the middles of the sides that part pixels inside from pixels outside, as in
marching squares, so that slanted edges are straight.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.types import BoolArray, FloatArray

Corner = tuple[int, int]

_SIDES = (
    ((-1, 0), (0, 0), (0, 1)),
    ((0, 1), (0, 1), (1, 1)),
    ((1, 0), (1, 1), (1, 0)),
    ((0, -1), (1, 0), (0, 0)),
)
"""Sides of a pixel, clockwise: the neighbour behind, the first and the last corner."""


def trace_outlines(is_inside: BoolArray) -> list[FloatArray]:
    """Return the closed outlines of an area, outer ones and those of its holes.

    Parameters
    ----------
    is_inside : array, shape (rows, columns), bool
        What lies beyond its edges is outside.

    Returns
    -------
    list of array, shape (n, 2), float64
        Points ``yx``, the first repeated at the end; pixel (i, j) reaches from
        (i, j) to (i + 1, j + 1).
    """
    onwards = _directed_sides(np.asarray(is_inside, dtype=bool))
    found = []
    while onwards:
        corners = [next(iter(onwards))]
        while corners[-1] in onwards:
            ends = onwards[corners[-1]]
            following = ends.pop()
            if not ends:
                del onwards[corners[-1]]
            corners.append(following)
        found.append(_middles(np.array(corners, dtype=np.float64)))
    return found


def _directed_sides(is_inside: BoolArray) -> dict[Corner, list[Corner]]:
    """Return the sides at the edge of the area by their first corner."""
    around = np.pad(is_inside, 1)
    rows, columns = is_inside.shape
    onwards: dict[Corner, list[Corner]] = {}
    for (dy, dx), first, last in _SIDES:
        behind = around[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns]
        for y, x in np.argwhere(is_inside & ~behind).tolist():
            start = (y + first[0], x + first[1])
            onwards.setdefault(start, []).append((y + last[0], x + last[1]))
    return onwards


def _middles(corners: FloatArray) -> FloatArray:
    """Return the middles of the sides of a closed line, without those on a straight."""
    middles = (corners[1:] + corners[:-1]) / 2
    step = np.roll(middles, -1, axis=0) - middles
    turns = (step != np.roll(step, 1, axis=0)).any(axis=1)
    kept = middles[turns]
    return np.concatenate([kept, kept[:1]])

# SPDX-License-Identifier: GPL-3.0-or-later
"""Minimum distances of particles to the micrograph's edge and to each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Spacing(Declared):
    """Least distances of whole particles that lie by themselves."""

    border_A: float = field(
        default=0.0,
        metadata=declare(
            "Minimum distance to micrograph edge",
            "Particles whose centre is closer to the edge of the micrograph than "
            "this are rejected. Half the particle diameter removes particles that "
            "are cut off. 0 keeps all.",
            unit="Å",
            ge=0,
        ),
    )
    neighbour_A: float = field(
        default=0.0,
        metadata=declare(
            "Minimum distance between particles",
            "Particles whose centres are closer to each other than this are both "
            "rejected. The particle diameter removes all that touch. Their scores "
            "do not change. 0 keeps all.",
            unit="Å",
            ge=0,
        ),
    )


def are_off_border(
    yx: FloatArray, extents: FloatArray | IntArray, distance: float
) -> BoolArray:
    """Return which centres are at least `distance` from the border.

    Parameters
    ----------
    yx : array, shape (n, 2)
        Centres, any unit.
    extents : array, shape (n, 2)
        Height and width of the micrograph of each, in that unit.
    distance : float
        In that unit, >= 0.

    Returns
    -------
    array, shape (n,), bool
    """
    return np.asarray((np.minimum(yx, extents - yx) >= distance).all(axis=1))


def are_apart(yx: FloatArray, micrograph: IntArray, distance: float) -> BoolArray:
    """Return which centres have no other of their micrograph nearer than `distance`.

    Of two that are too close, neither is left: they overlap, both.

    Parameters
    ----------
    yx : array, shape (n, 2)
        Centres, any unit.
    micrograph : array, shape (n,), int
        Which micrograph each lies on.
    distance : float
        In that unit, >= 0.

    Returns
    -------
    array, shape (n,), bool
    """
    apart = np.ones(len(yx), dtype=bool)
    for rows in _rows_of_each(micrograph):
        if len(rows) > 1:
            distances, _ = cKDTree(yx[rows]).query(yx[rows], k=2)
            apart[rows] = distances[:, 1] >= distance
    return apart


def _rows_of_each(group: IntArray) -> list[IntArray]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)

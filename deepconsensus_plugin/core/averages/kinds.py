# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of candidates, as averages and neighbours tell them."""

from __future__ import annotations

import enum

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.types import FloatArray, IntArray

UNLIKE, WHOLE = 0.55, 0.85
"""Relative amplitudes below which a box is like no average, and from which on it is
like one: on simulated micrographs nine whole molecules in ten are above the second, and
three in four contaminants and peaks of noise below the first (docs/averages.md)."""

TOUCHING = 0.7
"""Distance, in diameters of the mask, below which two candidates touch."""

OFF_CENTRE = 0.095
"""Offset along an axis, in boxes, from which on a box is off centre: the limit of what
the alignment looks for."""


class Kind(enum.IntEnum):
    """Kind of a candidate, with the word for it in tables; the first that applies."""

    word: str

    def __new__(cls, code: int, word: str) -> Kind:
        """Return the member with a number and its word."""
        member = int.__new__(cls, code)
        member._value_, member.word = code, word
        return member

    UNKNOWN = 0, ""
    TOUCHING = 1, "touching"
    UNLIKE = 2, "noise or dirt"
    OFF_CENTRE = 3, "off centre"
    PARTIAL = 4, "part of a particle"
    PARTICLE = 5, "particle"


def relative_amplitude(amplitude: FloatArray, probability: FloatArray) -> FloatArray:
    """Return amplitudes of n candidates in those of a typical particle, shape (n,).

    Parameters
    ----------
    amplitude : array, shape (n,)
        How much of an average each box holds; NaN where not known, and stays so.
    probability : array, shape (n,)
        Weight of each in the mean that is typical; NaN counts as 0.
    """
    known = np.isfinite(amplitude)
    if not known.any():
        return amplitude
    weights = np.nan_to_num(probability[known]) + np.finfo(float).tiny
    typical = float(np.average(amplitude[known], weights=weights))
    return amplitude / typical if typical > 0 else 0 * amplitude


def tell_kinds(
    table: AveragesTable,
    candidates: Candidates,
    probability: FloatArray,
    *,
    box_size: float,
    sampling_rate: float,
) -> IntArray:
    """Return the `Kind` of each of n candidates, shape (n,).

    Parameters
    ----------
    table : AveragesTable
        Of these candidates.
    candidates : Candidates
        n.
    probability : array, shape (n,)
        Of each, NaN where there is none.
    box_size : float
        Side of the box, pixels of the images that were averaged.
    sampling_rate : float
        Å/px of the candidates' micrographs.
    """
    relative = relative_amplitude(table.amplitude, probability)
    offset = np.abs(table.offset_yx).max(axis=1)
    distance = _nearest(candidates) * sampling_rate / table.diameter_A
    return np.select(
        [
            np.isnan(relative),
            distance < TOUCHING,
            relative < UNLIKE,
            offset >= OFF_CENTRE * box_size,
            relative < WHOLE,
        ],
        [Kind.UNKNOWN, Kind.TOUCHING, Kind.UNLIKE, Kind.OFF_CENTRE, Kind.PARTIAL],
        Kind.PARTICLE,
    ).astype(np.intp)


def _nearest(candidates: Candidates) -> FloatArray:
    """Return the distance of each candidate to the nearest other one, pixels."""
    distance = np.full(len(candidates), np.inf)
    groups = rows_of_groups(candidates.micrograph_index, len(candidates.micrographs))
    for rows in groups:
        if len(rows) > 1:
            places = candidates.yx[rows]
            distance[rows] = cKDTree(places).query(places, k=2)[0][:, 1]
    return distance

# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of candidates, as averages and neighbours tell them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.averages.table import AveragesTable, read_averages
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.kinds import Kind, Likeness
from deepconsensus_plugin.core.types import FloatArray

UNLIKE, WHOLE = 0.55, 0.85
"""Relative amplitudes below which a box is like no average, and from which on it is
like one: on simulated micrographs nine whole molecules in ten are above the second, and
three in four contaminants and peaks of noise below the first (docs/averages.md)."""

TOUCHING = 0.7
"""Distance, in diameters of the mask, below which two candidates touch."""


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


def tell_likeness(
    table: AveragesTable,
    candidates: Candidates,
    probability: FloatArray,
    *,
    picked_pixel_A: float,
) -> Likeness:
    """Return what averages tell of n candidates.

    Parameters
    ----------
    table : AveragesTable
        Of these candidates.
    candidates : Candidates
        n.
    probability : array, shape (n,)
        Of each, NaN where there is none.
    picked_pixel_A : float
        Pixel size of the micrographs that the candidates lie on.
    """
    relative = relative_amplitude(table.amplitude, probability)
    distance = _nearest(candidates) * picked_pixel_A / table.diameter_A
    kind = np.select(
        [
            np.isnan(relative),
            distance < TOUCHING,
            relative < UNLIKE,
            relative < WHOLE,
        ],
        [Kind.UNKNOWN, Kind.TOUCHING, Kind.UNLIKE, Kind.PARTIAL],
        Kind.PARTICLE,
    ).astype(np.intp)
    return Likeness(relative, kind)


def read_likeness(
    path: Path,
    candidates: Candidates,
    probability: FloatArray,
    *,
    picked_pixel_A: float,
) -> Likeness:
    """Return `tell_likeness` of a table's file; nothing known where there is none.

    Raises
    ------
    ValueError
        If the file is of another number of candidates.
    """
    if not path.is_file():
        return Likeness.unknown(len(candidates))
    return tell_likeness(
        read_averages(path, len(candidates)),
        candidates,
        probability,
        picked_pixel_A=picked_pixel_A,
    )


def _nearest(candidates: Candidates) -> FloatArray:
    """Return the distance of each candidate to the nearest other one, pixels."""
    distance = np.full(len(candidates), np.inf)
    groups = rows_of_groups(candidates.micrograph_index, len(candidates.micrographs))
    for rows in groups:
        if len(rows) > 1:
            places = candidates.yx[rows]
            distance[rows] = cKDTree(places).query(places, k=2)[0][:, 1]
    return distance

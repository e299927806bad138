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

OFF_CENTRE = 0.095
"""Offset along an axis, in boxes, from which on a box is off centre: the limit of what
the alignment looks for."""


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
    pixel_size_A: float,
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
    pixel_size_A, picked_pixel_A : float
        Of the micrographs that were averaged, and of those of the candidates.

    Raises
    ------
    ValueError
        If the table is of another number of candidates.
    """
    if len(table.amplitude) != len(candidates):
        raise ValueError(
            f"averages: expected {len(candidates)} candidates, received "
            f"{len(table.amplitude)}. Restart the run"
        )
    relative = relative_amplitude(table.amplitude, probability)
    box_A = table.images.shape[-1] * table.pixel_size_A
    offset_A = np.abs(table.offset_yx).max(axis=1) * pixel_size_A
    distance = _nearest(candidates) * picked_pixel_A / table.diameter_A
    kind = np.select(
        [
            np.isnan(relative),
            distance < TOUCHING,
            relative < UNLIKE,
            offset_A >= OFF_CENTRE * box_A,
            relative < WHOLE,
        ],
        [Kind.UNKNOWN, Kind.TOUCHING, Kind.UNLIKE, Kind.OFF_CENTRE, Kind.PARTIAL],
        Kind.PARTICLE,
    ).astype(np.intp)
    return Likeness(relative, kind)


def read_likeness(
    path: Path,
    candidates: Candidates,
    probability: FloatArray,
    *,
    pixel_size_A: float,
    picked_pixel_A: float,
) -> Likeness:
    """Return `tell_likeness` of a table's file; nothing known where there is none."""
    if not path.is_file():
        return Likeness.unknown(len(candidates))
    return tell_likeness(
        read_averages(path),
        candidates,
        probability,
        pixel_size_A=pixel_size_A,
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks that two pickers share, and their distances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import FloatArray, PickerPicks


def on_micrographs(picks: PickerPicks, names: Iterable[str]) -> PickerPicks:
    """Return the picks on these micrographs, on all of which the picker was run."""
    return replace(picks, coordinates={n: picks.coordinates[n] for n in names})


def some_common_micrographs(
    picks: PickerPicks, other: PickerPicks, *, n_picks: int
) -> list[str]:
    """Return micrographs that both were run on, with about so many picks of the first.

    All of them where there are fewer picks, else some that are spread evenly.
    """
    common = [name for name in picks.coordinates if name in other.coordinates]
    n_all = sum(len(picks.coordinates[name]) for name in common)
    if n_all <= n_picks:
        return common
    common.sort()
    n_chosen = max(1, len(common) * n_picks // n_all)
    places = np.linspace(0, len(common) - 1, n_chosen).round().astype(int)
    return [common[place] for place in places.tolist()]


def places_on(picks: PickerPicks, micrograph: str) -> FloatArray:
    """Return the picks of a micrograph, shape (n, 2)."""
    here = picks.coordinates.get(micrograph)
    return np.empty((0, 2)) if here is None else here.yx


def are_near(yx: FloatArray, others: FloatArray, radius_px: float) -> FloatArray:
    """Return which places have one of the others within a distance, shape (n,)."""
    if not len(yx) or not len(others):
        return np.zeros(len(yx), dtype=bool)
    return np.asarray(cKDTree(others).query(yx)[0] <= radius_px)


def mutual_distances(
    picks: PickerPicks, other: PickerPicks, radius_px: float
) -> FloatArray:
    """Return distances of picks that are each other's nearest, without the offset."""
    shifts = [np.empty((0, 2))]
    for name, here in picks.coordinates.items():
        a, b = here.yx, places_on(other, name)
        if not len(a) or not len(b):
            continue
        near, mine = cKDTree(b).query(a)
        back = cKDTree(a).query(b)[1]
        mutual = (back[mine] == np.arange(len(a))) & (near <= radius_px)
        shifts.append((a - b[mine])[mutual])
    shift = np.concatenate(shifts)
    if not len(shift):
        return np.empty(0)
    return np.asarray(np.linalg.norm(shift - np.median(shift, axis=0), axis=1))

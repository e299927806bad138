# SPDX-License-Identifier: GPL-3.0-or-later
"""Confinement of picks to a corner: coordinates of binned images, read as they are.

Pickers that were all run on binned images agree with each other, so no comparison of
them shows it; but their picks leave most of every micrograph empty.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import PickerPicks

_BINNINGS = (1.5, 2.0, 3.0, 4.0, 8.0)
_MIN_PICKS = 30
"""Picks that all lie in a part of both axes by chance with less than 1e-9."""

_WIDEST = 0.7
"""Part of an axis beyond which picks count as spread over all of it."""

_FILLED = 0.9
"""Least part of the micrograph that picks fill once they are mended."""


def find_confinement(
    picks: PickerPicks, shapes: Mapping[str, tuple[int, int]]
) -> tuple[float, float] | None:
    """Return the part of the rows and of the columns that all picks lie in.

    Parameters
    ----------
    picks : PickerPicks
        Picks of one picker.
    shapes : mapping of micrograph name to (rows, columns)
        Pixels; picks of other micrographs are not looked at.

    Returns
    -------
    tuple of float or None
        Parts, 0 - 1, counted from the first row and column; None if the picks are
        spread over the micrographs, or too few to tell.
    """
    parts = [
        each.yx / np.array(shapes[name])
        for name, each in picks.coordinates.items()
        if name in shapes and len(each)
    ]
    if sum(map(len, parts)) < _MIN_PICKS:
        return None
    rows, columns = np.concatenate(parts).max(axis=0).tolist()
    return (rows, columns) if 0 < max(rows, columns) <= _WIDEST else None


def find_extent(
    candidates: Candidates, shapes: Mapping[str, tuple[int, int]]
) -> tuple[float, float] | None:
    """Return the part of rows and columns that all candidates lie in, wherever it is.

    Parameters
    ----------
    candidates : Candidates
        Candidates of all pickers.
    shapes : mapping of micrograph name to (rows, columns)
        Pixels; candidates on other micrographs are not looked at.

    Returns
    -------
    tuple of float or None
        Parts of the rows and of the columns, 0 - 1; None if candidates are spread over
        either, or are too few to tell.
    """
    unknown = (np.nan, np.nan)
    sides = np.array([shapes.get(name, unknown) for name in candidates.micrographs])
    if not len(candidates):
        return None
    parts = candidates.yx / sides[candidates.micrograph_index]
    parts = parts[np.isfinite(parts).all(axis=1)]
    if len(parts) < _MIN_PICKS:
        return None
    rows, columns = np.ptp(parts, axis=0).tolist()
    return (rows, columns) if max(rows, columns) <= _WIDEST else None


def describe_confinement(
    picks: PickerPicks, shapes: Mapping[str, tuple[int, int]]
) -> str | None:
    """Return a sentence with the likely binning; None if there is nothing to say."""
    found = find_confinement(picks, shapes)
    if found is None:
        return None
    widest = max(found)
    fitting = [each for each in _BINNINGS if _FILLED <= each * widest <= 1.02]
    scale = f"{fitting[0]:g}" if fitting else "their binning"
    return (
        f"Picks of {picks.picker} lie in the first {found[0]:.0%} of the rows and "
        f"{found[1]:.0%} of the columns of all micrographs. If they were made on "
        f"binned micrographs, import them with scale={scale}."
    )

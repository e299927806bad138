# SPDX-License-Identifier: GPL-3.0-or-later
"""Extent of picks on their micrographs, and the scale that it tells.

Pickers that were all run on binned images agree with each other, so no comparison of
them shows it. But picks leave about the same margin at both ends of an axis: the first
and the last of them, as parts of the axis, add up to 1, or to the scale by which the
coordinates are wrong. Binned ones leave most of every micrograph empty, those of larger
images lie outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import PickerPicks

_BINNINGS = (1 / 8, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 2, 2.0, 3.0, 4.0, 8.0)
_MIN_PICKS = 30
"""Picks that all lie in a part of both axes by chance with less than 1e-9."""

_WIDEST = 0.7
"""Part of both axes up to which so few picks count as confined."""

_WIDEST_ALONG_ONE = 0.8
"""The same of one axis: a border without particles may leave as much of it empty."""

_MANY_PICKS = 300
"""Picks whose ends are known to 0.01 of the axis, so that scales near 1 show."""

_NEAR_ONE = 0.04
_SAME = 0.02
"""Deviation from 1 that many picks show, and the most by which the axes may differ."""

_MARGIN = 0.1
"""Largest margin at the first row and column, as a part of the extent."""

_END = 0.002
"""Share of the picks beyond each end: those that are outside by mistake."""


@dataclass(frozen=True)
class Extent:
    """Part of the rows and columns of their micrographs that n picks lie in.

    Parameters
    ----------
    n : int
        Picks.
    first, last : tuple of float
        Ends along y and x as parts of the rows and columns; outside of 0 - 1 where
        picks are outside.
    """

    n: int
    first: tuple[float, float]
    last: tuple[float, float]

    @property
    def scale(self) -> tuple[float, float]:
        """Scale of y and of x at which both margins are alike; 1 if they are."""
        along_y, along_x = (a + b for a, b in zip(self.first, self.last, strict=True))
        return along_y, along_x

    @property
    def deviation(self) -> float:
        """Largest deviation of both scales from 1, as a logarithm; 0 if unknown."""
        if min(self.scale) <= 0:
            return 0.0
        return float(np.abs(np.log(self.scale)).max())

    @property
    def tolerance(self) -> float:
        """Relative error of the scales; the ends of few picks are far from the edge."""
        return _SAME if self.n >= _MANY_PICKS else min(0.3, 12 / self.n)

    @property
    def is_suspect(self) -> bool:
        """Whether the coordinates are not in pixels of the micrographs."""
        along_y, along_x = self.scale
        low, high = min(self.last), max(self.last)
        if self.n < _MIN_PICKS or high <= 0:
            return False
        if high <= _WIDEST:
            return True
        begins = all(
            -_MARGIN * last <= first <= _MARGIN * last
            for first, last in zip(self.first, self.last, strict=True)
        )
        if not begins:
            return False
        alike = abs(np.log(along_y / along_x)) <= _SAME
        near = abs(np.log((along_y + along_x) / 2)) > _NEAR_ONE
        return bool(
            low > 1 + _NEAR_ONE
            or (self.n >= _MANY_PICKS and alike and near)
            or (self.n >= _MANY_PICKS and low <= _WIDEST_ALONG_ONE and high > 0.9)
        )


def measure_extent(
    picks: PickerPicks, shapes: Mapping[str, tuple[int, int]]
) -> Extent | None:
    """Return the extent of the picks of one picker.

    Parameters
    ----------
    picks : PickerPicks
        Picks of one picker.
    shapes : mapping of micrograph name to (rows, columns)
        Pixels; picks of other micrographs are not looked at.

    Returns
    -------
    Extent or None
        None if there are no picks.
    """
    parts = [
        each.yx / np.array(shapes[name])
        for name, each in picks.coordinates.items()
        if name in shapes and len(each)
    ]
    if not parts:
        return None
    yx = np.concatenate(parts)
    end = _END if len(yx) >= _MANY_PICKS else 0.0
    (y0, x0), (y1, x1) = np.quantile(yx, [end, 1 - end], axis=0).tolist()
    return Extent(len(yx), (y0, x0), (y1, x1))


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
    """Return a sentence with the likely scale; None if there is nothing to say."""
    found = measure_extent(picks, shapes)
    if found is None or not found.is_suspect:
        return None
    (along_y, along_x), (rows, columns) = found.scale, found.last
    where = (
        f"Picks of {picks.picker} reach to {rows:.0%} of the rows and {columns:.0%} of "
        "the columns of all micrographs"
    )
    if abs(np.log(along_y / along_x)) > found.tolerance:
        return (
            f"{where}: x and y may have different scales, if the picker made its "
            "images square. Export them again in pixels of the micrographs."
        )
    scale = _simple(2 / (along_y + along_x), max(found.tolerance, 0.05))
    return (
        f"{where}. If they were made on micrographs of another binning, import them "
        f"with scale={scale:.3g}."
    )


def _simple(scale: float, tolerance: float) -> float:
    """Return the binning that a scale is near to, or the scale."""
    nearest = min(_BINNINGS, key=lambda each: abs(np.log(each / scale)))
    return nearest if abs(np.log(nearest / scale)) < tolerance else scale

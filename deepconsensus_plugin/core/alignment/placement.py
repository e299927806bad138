# SPDX-License-Identifier: GPL-3.0-or-later
"""Placements of one picker's points on another's: axes, scale and shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.types import FloatArray

_SAME_LOG_SCALE = 0.03
"""Scales closer than this are told apart by a fit, not by a search."""


@dataclass(frozen=True)
class Orientation:
    """Orientation of the axes: exchanged first, then mirrored."""

    swapped_xy: bool = False
    flip_y: bool = False
    flip_x: bool = False

    def apply(self, yx: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return positions of a micrograph of this shape so oriented."""
        if self.swapped_xy:
            yx, shape = yx[:, ::-1], shape[::-1]
        mirrored = np.array(shape) - 1 - yx
        return np.where([self.flip_y, self.flip_x], mirrored, yx)


@dataclass(frozen=True, eq=False)
class PointPairs:
    """Points ``a`` and ``b`` of two pickers on one micrograph, pixels ``yx``."""

    a: FloatArray
    b: FloatArray
    shape: tuple[int, int]


@dataclass(frozen=True)
class Placement:
    """One way to lay a on b: ``b ≈ scale · orientation(a) + shift``, x stretched.

    Parameters
    ----------
    orientation : Orientation
        Of a.
    scale : float
        Of a, > 0.
    stretch_x : float
        Scale of x relative to that of y, > 0.
    shift_yx : tuple of float
        Pixels of a (before the scale).
    fraction : float
        Share of the smaller set that piles up there, beyond chance.
    chance : float
        Probability of such a pile at one place if the points were independent.
    """

    orientation: Orientation = Orientation()
    scale: float = 1.0
    stretch_x: float = 1.0
    shift_yx: tuple[float, float] = (0.0, 0.0)
    fraction: float = 0.0
    chance: float = 1.0

    def is_like(self, other: Placement, *, box_size: float) -> bool:
        """Return whether two placements are equal within their precision.

        A shift makes up for a small difference of the scales, at one side of the
        micrographs.
        """
        gap = np.abs(np.subtract(self.shift_yx, other.shift_yx)).max()
        scaled = max(
            abs(np.log(self.scale / other.scale)),
            abs(np.log(self.stretch_x / other.stretch_x)),
        )
        return (
            self.orientation == other.orientation
            and scaled < _SAME_LOG_SCALE
            and bool(gap < (0.3 + 20 * scaled) * box_size)
        )

    def oriented(self, pairs: PointPairs) -> tuple[FloatArray, FloatArray]:
        """Return a, oriented, and b at the scale of a."""
        b = self.unstretched(pairs.b) / self.scale
        return self.orientation.apply(pairs.a, pairs.shape), b

    def unstretched(self, yx: FloatArray) -> FloatArray:
        """Return points of b with x at the scale of y."""
        return yx / (1.0, self.stretch_x)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask of one micrograph: kinds of area, and distances to what is unusable.

A pixel of the mask covers a square of ``binning`` pixels of the micrograph, the first
one its top left corner; the last row and column may reach over the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind
from deepconsensus_plugin.core.usable_area.outlines import trace_outlines


@dataclass(frozen=True, eq=False)
class UsableArea:
    """Mask of one micrograph.

    Parameters
    ----------
    kinds : array, shape (rows, columns), uint8
        Codes of `AreaKind`.
    binning : int
        Pixels of the micrograph along the side of a pixel of the mask; >= 1.
    shape_px : tuple of int
        Rows and columns of the micrograph.

    Raises
    ------
    ValueError
        If the mask does not cover a micrograph of this shape, or has unknown codes.
    """

    kinds: NDArray[np.uint8]
    binning: int
    shape_px: tuple[int, int]

    def __post_init__(self) -> None:
        """Check the shape and the codes once."""
        if self.binning < 1:
            raise ValueError(f"binning: expected >= 1, received {self.binning}")
        expected = tuple(-(-length // self.binning) for length in self.shape_px)
        if self.kinds.shape != expected:
            raise ValueError(
                f"mask of a micrograph of {self.shape_px} pixels at binning "
                f"{self.binning}: expected shape {expected}, "
                f"received {self.kinds.shape}"
            )
        largest = int(self.kinds.max(initial=0))
        if self.kinds.dtype != np.uint8 or largest > max(AreaKind):
            raise ValueError(
                f"mask: expected uint8 of 0 - {max(AreaKind)}, "
                f"received {self.kinds.dtype} up to {largest}"
            )

    @property
    def is_unusable(self) -> BoolArray:
        """Pixels of the mask where no particle can be, shape (rows, columns)."""
        return np.asarray(self.kinds != AreaKind.USABLE)

    @property
    def share_unusable(self) -> float:
        """Share of the micrograph that is unusable, 0 - 1."""
        return float(self.is_unusable.mean())

    def kind_at(self, yx: FloatArray) -> NDArray[np.uint8]:
        """Return the code of `AreaKind` at each position, shape (n,).

        Parameters
        ----------
        yx : array, shape (n, 2)
            Positions, pixels of the micrograph; those outside are moved to its edge.
        """
        rows, columns = self._mask_pixels(yx)
        return self.kinds[rows, columns]

    def distance_px(self, yx: FloatArray) -> FloatArray:
        """Return the signed distance of each position to the unusable area, shape (n,).

        Parameters
        ----------
        yx : array, shape (n, 2)
            Positions, pixels of the micrograph; those outside are moved to its edge.

        Returns
        -------
        array, shape (n,), float64
            Pixels of the micrograph, to half a diagonal of a pixel of the mask:
            positive on usable area, negative on the rest, whose edge is then meant;
            infinite where there is no such edge.
        """
        rows, columns = self._mask_pixels(yx)
        return self._distances[rows, columns]

    def outlines(self) -> list[FloatArray]:
        """Return the closed outlines of the unusable area.

        Returns
        -------
        list of array, shape (n, 2), float64
            Corners ``yx``, pixels of the micrograph; the first is repeated at the end.
            Along an edge of the micrograph, an outline follows that edge.
        """
        last = np.array(self.shape_px) - 0.5
        return [
            np.clip(line * self.binning - 0.5, -0.5, last)
            for line in trace_outlines(self.is_unusable)
        ]

    def _mask_pixels(self, yx: FloatArray) -> tuple[IntArray, IntArray]:
        """Return the row and the column of the mask at each position."""
        found = np.floor((np.asarray(yx).reshape(-1, 2) + 0.5) / self.binning)
        found = np.clip(found, 0, np.array(self.kinds.shape) - 1).astype(np.intp)
        return found[:, 0], found[:, 1]

    @cached_property
    def _distances(self) -> FloatArray:
        """Signed distance of each pixel of the mask, in pixels of the micrograph."""
        is_unusable = self.is_unusable
        if is_unusable.all() or not is_unusable.any():
            return np.asarray(np.where(is_unusable, -np.inf, np.inf))
        outside = distance_transform_edt(~is_unusable) - 0.5
        inside = 0.5 - distance_transform_edt(is_unusable)
        return np.asarray(np.where(is_unusable, inside, outside) * self.binning)

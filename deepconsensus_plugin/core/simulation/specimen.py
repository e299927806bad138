# SPDX-License-Identifier: GPL-3.0-or-later
"""Specimen: the fields that electrons pass, as large as a micrograph and its margin.

The margin is there because defocus carries the signal of a particle beyond its edge,
and because particles cut off by the frame have their centres outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from deepconsensus_plugin.core.simulation.scattering import Medium, mean_free_paths
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_Pixel = TypeVar("_Pixel", bound=np.generic)

_VISIBLE_A = 10.0
"""Thickness from which a piece of matter counts as contamination of a pixel, Å."""


@dataclass(frozen=True)
class Field:
    """The area that is computed.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the micrograph.
    margin : int
        Pixels computed beyond each of its borders, at least.
    sampling_rate : float
        Å/px.
    """

    shape: tuple[int, int]
    margin: int
    sampling_rate: float

    @property
    def canvas(self) -> tuple[int, int]:
        """Rows and columns that are computed: quick to transform, even."""
        rows, columns = (
            2 * scipy.fft.next_fast_len((length + 1) // 2 + self.margin, real=True)
            for length in self.shape
        )
        return int(rows), int(columns)

    def crop(self, canvas: NDArray[_Pixel]) -> NDArray[_Pixel]:
        """Return the micrograph's part of a canvas."""
        rows, columns = self.shape
        margin = self.margin
        return canvas[margin : margin + rows, margin : margin + columns]

    def holds(self, y: float, x: float, *, inset: float = 0.0) -> bool:
        """Return whether a position lies in the micrograph, `inset` pixels inside."""
        low, (rows, columns) = inset - 0.5, self.shape
        return low <= y < rows - 1 - low and low <= x < columns - 1 - low

    def axes(self) -> tuple[FloatArray, FloatArray]:
        """Return rows (n, 1) and columns (1, m) of the canvas, micrograph's pixels."""
        rows, columns = self.canvas
        y = np.arange(rows, dtype=np.float32)[:, None] - self.margin
        x = np.arange(columns, dtype=np.float32)[None, :] - self.margin
        return y, x

    def frequencies(self, *, half: bool) -> tuple[FloatArray, FloatArray]:
        """Return sy (n, 1) and sx (1, m) of the canvas' transform, 1/Å, float32."""
        rows, columns = self.canvas
        sx = (np.fft.rfftfreq if half else np.fft.fftfreq)(columns, self.sampling_rate)
        sy = np.fft.fftfreq(rows, self.sampling_rate)
        return sy.astype(np.float32)[:, None], sx.astype(np.float32)[None, :]


@lru_cache(maxsize=2)
def radial_frequency(field: Field) -> FloatArray:
    """Return |s| on the canvas' half transform, 1/Å, float32, read-only."""
    sy, sx = field.frequencies(half=True)
    radius = np.hypot(sy, sx)
    radius.flags.writeable = False
    return np.asarray(radius)


class Specimen:
    """Fields that are built up object by object, all of the canvas' shape, float32.

    Attributes
    ----------
    particles, grain, bulk : array
        Potential along the beam above that of the ice, V·Å: of molecules, of the
        fluctuations of the background, and of pieces of matter. The latter weaken the
        beam as `scattered` and `slowed` tell, the others by the amplitude contrast.
    scattered, slowed : array
        Thickness in mean free paths: of scattering outside the aperture, and of losing
        energy.
    contamination : array, uint8
        Code of `AreaKind` of the last contaminant that was added to each pixel.
    """

    def __init__(self, field: Field, voltage_kV: float) -> None:
        self.field = field
        self.particles = np.zeros(field.canvas, np.float32)
        self.grain = np.zeros(field.canvas, np.float32)
        self.bulk = np.zeros(field.canvas, np.float32)
        self.scattered = np.zeros(field.canvas, np.float32)
        self.slowed = np.zeros(field.canvas, np.float32)
        self.contamination = np.full(field.canvas, AreaKind.USABLE, np.uint8)
        self._voltage_kV = voltage_kV

    def add_particle(self, projection: FloatArray, yx: tuple[int, int]) -> None:
        """Add a projection, V·Å, whose centre ``box // 2`` is at a whole pixel."""
        add_patch(self.particles, projection, self._on_canvas(yx))

    def add_matter(
        self,
        thickness: FloatArray,
        medium: Medium,
        potential: float,
        yx: tuple[int, int] | None = None,
        kind: AreaKind = AreaKind.USABLE,
    ) -> None:
        """Add a piece of matter.

        Parameters
        ----------
        thickness : array
            Å, of the canvas' shape, or a patch with its centre at `yx`.
        medium : Medium
            How it weakens the beam.
        potential : float
            Its mean inner potential, V.
        yx : tuple of int, optional
            Pixel of the micrograph.
        kind : AreaKind
            Contaminant that it is, if it is one.
        """
        elastic, inelastic = mean_free_paths(medium, self._voltage_kV)
        at = None if yx is None else self._on_canvas(yx)
        for target, factor in (
            (self.bulk, potential),
            (self.scattered, 1 / elastic),
            (self.slowed, 1 / inelastic),
        ):
            if at is None:
                target += thickness * np.float32(factor)
            elif factor:
                add_patch(target, thickness * np.float32(factor), at)
        if kind is not AreaKind.USABLE:
            self.mark(np.abs(thickness) > _VISIBLE_A, kind, yx)

    def mark(
        self,
        is_covered: BoolArray,
        kind: AreaKind,
        yx: tuple[int, int] | None = None,
    ) -> None:
        """Note a contaminant where a mask is True; it lies as in `add_matter`."""
        if yx is None:
            self.contamination[is_covered] = kind
            return
        overlap = _overlap(self.contamination, is_covered, self._on_canvas(yx))
        if overlap is not None:
            into, of = overlap
            self.contamination[into][is_covered[of]] = kind

    def _on_canvas(self, yx: tuple[int, int]) -> tuple[int, int]:
        return yx[0] + self.field.margin, yx[1] + self.field.margin


def add_patch(target: FloatArray, patch: FloatArray, yx: tuple[int, int]) -> None:
    """Add a patch with its centre, ``side // 2``, at a pixel; cut at borders."""
    overlap = _overlap(target, patch, yx)
    if overlap is not None:
        into, of = overlap
        target[into] += patch[of]


def _overlap(
    target: NDArray[Any], patch: NDArray[Any], yx: tuple[int, int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]] | None:
    """Return the part of `target` that a patch covers, and that part of the patch."""
    into, of = [], []
    for centre, side, length in zip(yx, patch.shape, target.shape, strict=True):
        start = centre - side // 2
        first, last = max(start, 0), min(start + side, length)
        if first >= last:
            return None
        into.append(slice(first, last))
        of.append(slice(first - start, last - start))
    return tuple(into), tuple(of)

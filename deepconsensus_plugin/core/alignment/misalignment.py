# SPDX-License-Identifier: GPL-3.0-or-later
"""Misalignment between two pickers, in numbers and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALL_SHIFT = 0.025
"""Shifts beyond this part of the box, a quarter of the usual consensus radius, are
worth a word."""


@dataclass(frozen=True)
class Misalignment:
    """Position of one picker's picks relative to those of another.

    ``other ≈ scale · (oriented reference + shift)``, where axes are first exchanged,
    then mirrored (``y → rows - 1 - y``).

    Parameters
    ----------
    reference, other : str
        Names of the pickers.
    box_size : float
        Pixels.
    n_compared : int
        Picks of the smaller set that were compared.
    matched_fraction : float
        Share of these with a partner within 0.1 of the box, in place or, if
        `is_significant`, once the misalignment is undone; 0 - 1.
    shift_yx : tuple of float
        Pixels, at the scale of the reference; measured, if the picks agree in place,
        even where it is too small to be significant.
    scale : float
        2 where the coordinates of `other` are twice those of the reference.
    flip_y, flip_x, swapped_xy : bool
        Mirrored top to bottom, left to right; rows and columns exchanged.
    is_significant : bool
        Whether the misalignment is worth reporting.
    stretch_x : float
        Scale of x relative to that of y, where axes were scaled differently.
    """

    reference: str
    other: str
    box_size: float
    n_compared: int
    matched_fraction: float
    shift_yx: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    flip_y: bool = False
    flip_x: bool = False
    swapped_xy: bool = False
    is_significant: bool = False
    stretch_x: float = 1.0

    @property
    def is_gross(self) -> bool:
        """Whether it spoils the consensus: more than a shift of 0.1 of the box."""
        moved = max(abs(s) for s in self.shift_yx) > 0.1 * self.box_size
        changed = self.flip_y or self.flip_x or self.swapped_xy or self.scale != 1.0
        changed |= self.stretch_x != 1.0
        return self.is_significant and (moved or changed)

    def describe(self) -> str:
        """Return a sentence that names the likely cause and the mend."""
        if not self.is_significant:
            return (
                f"Picks of {self.other} show no systematic error relative to those of "
                f"{self.reference}."
            )
        parts = [*self._changes(), *self._shift()]
        text = "; ".join(parts)
        return (
            f"Picks of {self.other}, relative to those of {self.reference}, {text} "
            f"({self.matched_fraction:.0%} of {self.n_compared} picks match then)."
        )

    def _changes(self) -> list[str]:
        changes = []
        if self.swapped_xy:
            changes.append("have rows and columns exchanged: swap x and y in the file")
        if self.flip_y:
            changes.append("are mirrored in y: import them with invertY")
        if self.flip_x:
            changes.append("are mirrored in x: import x as width - 1 - x")
        if self.stretch_x != 1.0:
            changes.append(
                f"have x {self.stretch_x * self.scale:.4g} and y {self.scale:.4g} "
                "times as large (the picker made its images square?): export them "
                "again in pixels of the micrographs"
            )
        elif self.scale != 1.0:
            changes.append(
                f"have coordinates {self.scale:.4g} times as large (micrographs of "
                f"another binning?): import them with scale={1 / self.scale:.4g}"
            )
        return changes

    def _shift(self) -> list[str]:
        dy, dx = self.shift_yx
        if np.hypot(dy, dx) <= SMALL_SHIFT * self.box_size:
            return []
        down, right = "below" if dy > 0 else "above", "right" if dx > 0 else "left"
        text = f"lie {abs(dx):.1f} px {right} and {abs(dy):.1f} px {down}"
        half = self.box_size / 2
        if np.abs(np.abs(self.shift_yx) - half).max() < 0.1 * self.box_size:
            text += (
                f", half of the box of {self.box_size:g} px: were corners read as "
                "centres, or a wrong box size given?"
            )
        else:
            text += f", {np.hypot(dy, dx) / self.box_size:.2f} of the box"
        return [text]

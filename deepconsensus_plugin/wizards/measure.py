# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure: a length on a micrograph, in the unit of the form."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.types import DIAMETER_PER_BOX

_FIRST_SHARE = 0.1
"""Initial length, as a share of the shorter side of a micrograph."""


@dataclass(frozen=True)
class Measure:
    """A length, and how it is shown: a box as a square, a diameter as a circle.

    Parameters
    ----------
    name : str
        Name of the length.
    unit : str
        Unit of its values.
    is_box : bool
        Whether it is the side of a box, not the diameter of a particle.
    units_per_px : float
        Units per pixel of the micrograph.
    step : int
        Values are multiples of it.
    sampling_rate : float
        Å/px of the micrograph.
    """

    name: str
    unit: str
    is_box: bool
    units_per_px: float
    step: int
    sampling_rate: float

    @classmethod
    def box(cls, sampling_rate: float) -> Measure:
        """Return the side of a box in pixels, even."""
        return cls("Box size", "px", True, 1.0, 2, sampling_rate)

    @classmethod
    def diameter(cls, sampling_rate: float) -> Measure:
        """Return the diameter of a particle in Å, whole."""
        rate = sampling_rate
        return cls("Particle diameter", "Å", False, rate, 1, rate)

    def round(self, value: float) -> int:
        """Return the nearest value that can be, at least one step."""
        return max(self.step, self.step * round(value / self.step))

    def of_px(self, length_px: float) -> int:
        """Return the value of a length on the micrograph."""
        return self.round(length_px * self.units_per_px)

    def to_px(self, value: float) -> float:
        """Return the length on the micrograph, pixels."""
        return value / self.units_per_px

    def first_value(self, shape: tuple[float, float]) -> int:
        """Return a value to begin with on a micrograph of this shape, pixels."""
        return self.of_px(_FIRST_SHARE * min(shape))

    def sides_px(self, value: float) -> tuple[float, float]:
        """Return the side of the box and the diameter that go together, pixels."""
        length = self.to_px(value)
        if self.is_box:
            return length, length * DIAMETER_PER_BOX
        return length / DIAMETER_PER_BOX, length

    def describe(self, value: float) -> str:
        """Return the value in both units, and what goes with it."""
        box, diameter = self.sides_px(value)
        rate = self.sampling_rate
        if self.is_box:
            return (
                f"box {box:.0f} px = {box * rate:.0f} Å, for particles of about "
                f"{diameter * rate:.0f} Å (dashed)"
            )
        return (
            f"diameter {diameter * rate:.0f} Å = {diameter:.0f} px; a box of "
            f"{2 * round(box / 2)} px (dashed) suits it"
        )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of where accepted particles may lie: area, micrograph edge, neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.usable_area.parameters import AVOID_CONTAMINATION


@dataclass(frozen=True)
class Spacing(Declared):
    """Area where particles may lie, and minimum distances to edge and to each other."""

    border_A: float = field(
        default=0.0,
        metadata=declare(
            "Minimum distance to micrograph edge",
            "Particles whose centre is closer to the edge of the micrograph than "
            "this are rejected. 0 keeps all.",
            unit="Å",
            ge=0,
        ),
    )
    neighbour_A: float = field(
        default=0.0,
        metadata=declare(
            "Minimum distance between particles",
            "Particles whose centres are closer to each other than this are both "
            "rejected. The particle diameter removes all that touch. Only candidates "
            "with a sufficient score count. Scores do not change. 0 keeps all.",
            unit="Å",
            ge=0,
        ),
    )
    over_border: bool = field(
        default=False,
        metadata=declare(
            "Boxes over the micrograph edge",
            "*No*: candidates whose box leaves the micrograph are scored, but "
            "rejected, and not written as particles, as in Scipion's own "
            "extraction.\n"
            "*Yes*: they are treated like all others. The part outside the "
            "micrograph is filled with the mirror image of the inside.",
        ),
    )
    avoid_contamination: bool = field(default=True, metadata=AVOID_CONTAMINATION)

    def criteria(self) -> list[str]:
        """Return which particles are left out, as parts of a sentence."""
        parts = []
        if self.avoid_contamination:
            parts.append("that lie on carbon, ice or padding")
        if not self.over_border:
            parts.append("whose box leaves the micrograph")
        if self.border_A:
            parts.append(f"that are less than {self.border_A:.4g} Å from its edge")
        if self.neighbour_A:
            parts.append(f"that are less than {self.neighbour_A:.4g} Å from another")
        return parts

# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of where accepted particles may lie: micrograph edge, neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepconsensus_plugin.core.declared import Declared, declare


@dataclass(frozen=True)
class Spacing(Declared):
    """Least distances of whole particles that lie by themselves."""

    border_A: float = field(
        default=0.0,
        metadata=declare(
            "Minimum distance to micrograph edge",
            "Particles whose centre is nearer to the edge than this are not accepted. "
            "*0*: no distance is asked for.",
            unit="Å",
            ge=0,
        ),
    )
    neighbour_A: float = field(
        default=0.0,
        metadata=declare(
            "Minimum distance between particles",
            "Two particles whose centres are nearer to each other than this overlap, "
            "and neither is accepted; the particle's diameter leaves none that touch. "
            "Only candidates with a good enough score count.\n"
            "*0*: no distance is asked for.\n"
            "Scores are not changed: overlapping particles are particles.",
            unit="Å",
            ge=0,
        ),
    )
    over_border: bool = field(
        default=False,
        metadata=declare(
            "Boxes over the micrograph edge?",
            "*No*: candidates whose box leaves the micrograph are scored, but neither "
            "accepted nor written as particles. Scipion's own extraction leaves them "
            "out as well.\n"
            "*Yes*: they are treated as all others. What lies outside is filled with "
            "the mirror image of the inside.",
        ),
    )

    def criteria(self) -> list[str]:
        """Return which particles are left out, as parts of a sentence."""
        parts = []
        if not self.over_border:
            parts.append("whose box leaves the micrograph")
        if self.border_A:
            parts.append(f"that are less than {self.border_A:.4g} Å from its edge")
        if self.neighbour_A:
            parts.append(f"that are less than {self.neighbour_A:.4g} Å from another")
        return parts

# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of the classical pickers, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.pickers.classical.correlation import Reference


class PickMethod(Enum):
    """Method by which places are scored."""

    GAUSSIANS = "gaussians"
    """Difference of Gaussians; scores in noise units."""

    CORRELATION = "correlation"
    """Normalised local correlation; scores up to 1."""


@dataclass(frozen=True)
class PickParameters(Declared):
    """Parameters of the pickers that need no training."""

    diameter_A: float = field(
        metadata=declare(
            "Particle diameter",
            "Of a long particle, the mean of its axes is a good start.",
            unit="Å",
            gt=0,
        )
    )
    method: PickMethod = field(
        default=PickMethod.GAUSSIANS,
        metadata=declare(
            "Method",
            "*difference of Gaussians*: places darker (or whiter) than their "
            "surroundings, of the particle's size [Voss2009].\n"
            "*rotational correlation*: places that look like the rotational average "
            "of the particle [Roseman2003].\n"
            "It sees hollow particles better.",
        ),
    )
    reference: Reference = field(
        default=Reference.LEARNT,
        metadata=declare(
            "Reference",
            "*learnt*: a disc picks first; the mean radial profile of what it finds "
            "picks again, until it stays as it is. Nobody has to mark anything.",
            is_expert=True,
            shown_if=("method", PickMethod.CORRELATION),
        ),
    )
    min_distance: float = field(
        default=0.6,
        metadata=declare(
            "Least distance",
            "Of two peaks this close or closer, the better one is kept. Less than 1, "
            "since particles are not round.",
            unit="diameters",
            is_expert=True,
            gt=0,
        ),
    )
    particles_dark: bool = field(
        default=True,
        metadata=declare(
            "Are particles dark?",
            "*Yes* for micrographs as they come from the microscope.",
        ),
    )
    avoid_contamination: bool = field(
        default=True,
        metadata=declare(
            "Avoid carbon and ice?",
            "Leave out places whose mean or deviation is unusual on their micrograph. "
            "Padded borders are always left out.",
        ),
    )

    @property
    def tells_contamination(self) -> bool:
        """Whether scores are contrasts, for which there is an upper threshold."""
        return self.method is PickMethod.GAUSSIANS and self.avoid_contamination

    @property
    def is_learnt(self) -> bool:
        """Whether a profile must be learnt before picking."""
        is_correlated = self.method is PickMethod.CORRELATION
        return is_correlated and self.reference is Reference.LEARNT

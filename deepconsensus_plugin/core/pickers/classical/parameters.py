# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of the classical pickers, declared once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.pickers.classical.correlation import Reference
from deepconsensus_plugin.core.usable_area.parameters import AVOID_CONTAMINATION


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
            "Longest diameter of the particle.",
            unit="Å",
            gt=0,
        )
    )
    method: PickMethod = field(
        default=PickMethod.GAUSSIANS,
        metadata=declare(
            "Method",
            "*difference of Gaussians*: finds places of the particle's size that "
            "are darker (or lighter) than their surroundings [Voss2009].\n"
            "*rotational correlation*: finds places that look like the rotational "
            "average of the particle [Roseman2003]. It is better for hollow "
            "particles.",
        ),
    )
    reference: Reference = field(
        default=Reference.LEARNT,
        metadata=declare(
            "Reference profile",
            "Radial profile that micrographs are correlated with.\n"
            "*learnt from the micrographs*: a disc picks first, and the mean "
            "profile of its picks picks again, until it does not change any more; "
            "no reference is needed.\n"
            "*disc*, *ring*: a fixed shape of the diameter of the particle.",
            is_expert=True,
            shown_if=("method", PickMethod.CORRELATION),
        ),
    )
    min_distance: float = field(
        default=0.6,
        metadata=declare(
            "Minimum distance between picks",
            "Of two picks at most this far apart, the one with the better score is "
            "kept. It is below 1 since particles are not round.",
            unit="diameters",
            is_expert=True,
            gt=0,
        ),
    )
    shortest_diameter_A: float | None = field(
        default=None,
        metadata=declare(
            "Shortest diameter",
            "Width of an elongated particle. With it, *difference of Gaussians* looks "
            "for ellipses in eight directions, and *rotational correlation* for the "
            "mean of both diameters.",
            unit="Å",
            if_none="the particle is about as wide as long",
            is_expert=True,
            gt=0,
        ),
    )
    particles_dark: bool = field(
        default=True,
        metadata=declare(
            "Particle contrast",
            "Contrast of the particles in the micrographs.\n"
            "*dark on light (raw)*: as recorded by the microscope.\n"
            "*light on dark*: the micrographs were inverted before.",
        ),
    )
    avoid_contamination: bool = field(default=True, metadata=AVOID_CONTAMINATION)

    def conflicts(self) -> list[str]:
        """Return that the shortest diameter is longer than the longest."""
        shortest = self.shortest_diameter_A
        if shortest is None or shortest <= self.diameter_A:
            return []
        return ["Shortest diameter: it must not be above the particle diameter"]

    @property
    def elongation(self) -> float:
        """Ratio of the longest diameter to the shortest, at least 1."""
        return self.diameter_A / (self.shortest_diameter_A or self.diameter_A)

    @property
    def mean_diameter_A(self) -> float:
        """Geometric mean of both diameters, Å: that of a disc of the same area."""
        return self.diameter_A / math.sqrt(self.elongation)

    @property
    def tells_contamination(self) -> bool:
        """Whether scores are contrasts, for which there is an upper threshold."""
        return self.method is PickMethod.GAUSSIANS and self.avoid_contamination

    @property
    def is_learnt(self) -> bool:
        """Whether a profile must be learnt before picking."""
        is_correlated = self.method is PickMethod.CORRELATION
        return is_correlated and self.reference is Reference.LEARNT

# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of the sample: ice, particles and contamination.

docs/simulation.md gives the source of each default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.limits import Positive, describe_reversed
from deepconsensus_plugin.core.simulation.structures import Phantom, Structure


@dataclass(frozen=True)
class Ice(Declared):
    """The layer that holds the particles."""

    thickness_A: tuple[Positive, Positive] = field(
        default=(250.0, 600.0),
        metadata=declare(
            "Ice thickness",
            "Range of the mean ice thickness, which is drawn at random for each "
            "micrograph.",
            unit="Å",
        ),
    )
    gradient: float = field(
        default=0.3,
        metadata=declare(
            "Thickness gradient (fraction)",
            "Thickness at one edge minus that at the opposite edge, as a fraction "
            "of the mean.",
            is_expert=True,
        ),
    )
    roughness: float = field(
        default=0.05,
        metadata=declare(
            help="Standard deviation of its slow undulation, as a part of the mean.",
            ge=0,
        ),
    )
    interface_protein_mg_per_m2: float = field(
        default=0.2,
        metadata=declare(
            "Unfolded protein at the surfaces",
            "Amount of unfolded protein at the air-water interfaces, which gives a "
            "mottled background.",
            unit="mg/m²",
            is_expert=True,
            ge=0,
        ),
    )

    def conflicts(self) -> list[str]:
        """Return that the range is upside down."""
        return describe_reversed("Thickness", self.thickness_A)


@dataclass(frozen=True)
class Crowd(Declared):
    """Number of particles, and their arrangement."""

    particles_per_micrograph: int = field(
        default=80,
        metadata=declare(
            "Particles per micrograph",
            "Mean number of particle centres within a micrograph; fewer if there "
            "is no room.",
            ge=0,
        ),
    )
    spacing: float = field(
        default=1.1,
        metadata=declare(
            "Minimum spacing",
            "Minimum distance between neighbours, in particle widths: diameters of "
            "a ball with the radius of gyration of the particle.",
            unit="widths",
            is_expert=True,
            ge=0.5,
        ),
    )
    overlapping_fraction: float = field(
        default=0.1,
        metadata=declare(
            "Overlapping fraction",
            "Fraction of the particles that are placed closer to another one than "
            "the minimum spacing, 0 to 1.",
            ge=0,
            le=1,
        ),
    )
    broken_fraction: float = field(
        default=0.1,
        metadata=declare(
            "Broken fraction",
            "Fraction of the particles that are broken; 40 to 65 % of the molecule "
            "is left.",
            ge=0,
            le=1,
        ),
    )
    aggregates: float = field(
        default=0.3,
        metadata=declare(
            "Aggregates per micrograph",
            "Mean number of aggregates, of 5 to 15 particles each, on a micrograph.",
            ge=0,
        ),
    )
    tilt_spread_deg: float | None = field(
        default=None,
        metadata=declare(
            "Spread about preferred views",
            "Mean tilt away from top views (two thirds of the particles) and side "
            "views.",
            unit="°",
            if_none="all orientations are equally likely",
            is_expert=True,
            ge=0,
        ),
    )


def _mean(label: str) -> dict[str, Any]:
    """Return the declaration of a mean number per micrograph (Poisson)."""
    help_ = "Mean number on a micrograph; each micrograph draws its own (Poisson)."
    return declare(label, help_, is_expert=True, ge=0)


@dataclass(frozen=True)
class Contamination(Declared):
    """Contamination that misleads pickers; numbers are means per micrograph (Poisson).

    Parameters
    ----------
    second_protein : Structure, optional
        Molecules that are not wanted.
    """

    second_protein: Structure | None = field(
        default_factory=lambda: Structure(Phantom.GLOBULE)
    )
    second_protein_per_particle: float = field(
        default=0.1, metadata=_mean("Second protein per particle")
    )
    carbon_probability: float = field(
        default=0.25,
        metadata=declare(
            "Fraction with a carbon edge",
            "Fraction of the micrographs that show the edge of the carbon film, 0 "
            "to 1.",
            is_expert=True,
            ge=0,
            le=1,
        ),
    )
    ice_crystals: float = field(
        default=1.0, metadata=_mean("Ice crystals per micrograph")
    )
    ethane_blobs: float = field(
        default=0.5, metadata=_mean("Ethane drops per micrograph")
    )
    gold_beads: float = field(default=0.3, metadata=_mean("Gold beads per micrograph"))
    film_variety: float = field(
        default=0.0,
        metadata=declare(
            "Fraction of films that vary",
            "Fraction of the carbon films, 0 to 1, that vary in thickness, in the size "
            "of holes and in their number (lacey film), or are gold foils. Half of "
            "these carry particles.",
            is_expert=True,
            ge=0,
            le=1,
        ),
    )
    ice_variety: float = field(
        default=0.0,
        metadata=declare(
            "Fraction of ice crystals that vary",
            "Fraction of the ice crystals, 0 to 1, that are hexagonal plates, sheets, "
            "rods or frost.",
            is_expert=True,
            ge=0,
            le=1,
        ),
    )
    precipitates: float = field(
        default=0.0, metadata=_mean("Protein precipitates per micrograph")
    )
    cracks: float = field(default=0.0, metadata=_mean("Cracks per micrograph"))
    vesicles: float = field(
        default=0.0, metadata=_mean("Lipid vesicles per micrograph")
    )

    @property
    def is_plain(self) -> bool:
        """Whether there is none of the richer contamination."""
        return not any(
            (
                self.film_variety,
                self.ice_variety,
                self.precipitates,
                self.cracks,
                self.vesicles,
            )
        )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of the sample: ice, particles and contamination.

docs/simulation.md gives the source of each default.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deepconsensus_plugin.core.simulation.ranges import (
    require_at_least,
    require_parts,
    require_positive,
    require_range,
)
from deepconsensus_plugin.core.simulation.structures import Phantom, Structure


@dataclass(frozen=True)
class Ice:
    """The layer that holds the particles.

    Parameters
    ----------
    thickness_A : tuple of float
        Least and most mean thickness, drawn once per micrograph.
    gradient : float
        Thickness at one border minus that at the opposite one, as a part of the mean.
    roughness : float
        Standard deviation of its slow undulation, as a part of the mean.
    interface_protein_mg_per_m2 : float
        Unfolded protein at the surfaces of the ice: a mottled background.
    """

    thickness_A: tuple[float, float] = (250.0, 600.0)
    gradient: float = 0.3
    roughness: float = 0.05
    interface_protein_mg_per_m2: float = 0.2

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive({"least thickness_A": self.thickness_A[0]})
        require_range("thickness_A", *self.thickness_A)
        require_at_least(
            0,
            {
                "roughness": self.roughness,
                "interface_protein_mg_per_m2": self.interface_protein_mg_per_m2,
            },
        )


@dataclass(frozen=True)
class Crowd:
    """Number of particles, and how they are placed.

    Parameters
    ----------
    particles_per_micrograph : int
        Centres in the area of one micrograph, aggregates not counted; fewer where
        there is no room.
    spacing : float
        Least distance of neighbours, in widths of a particle (`library.Species`).
    overlapping_fraction : float
        Share of particles put closer to another than that.
    broken_fraction : float
        Share of particles of which only a part is left.
    aggregates : float
        Clumps of particles per micrograph, on average.
    tilt_spread_deg : float, optional
        How far the symmetry axis leans from the preferred views (along the beam, or
        across it in a third of the particles); None: no view is preferred.
    """

    particles_per_micrograph: int = 80
    spacing: float = 1.1
    overlapping_fraction: float = 0.1
    broken_fraction: float = 0.1
    aggregates: float = 0.3
    tilt_spread_deg: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(
            0,
            {
                "particles_per_micrograph": self.particles_per_micrograph,
                "aggregates": self.aggregates,
            },
        )
        require_at_least(0.5, {"spacing": self.spacing})
        require_parts(
            {
                "overlapping_fraction": self.overlapping_fraction,
                "broken_fraction": self.broken_fraction,
            }
        )


@dataclass(frozen=True)
class Contamination:
    """Contaminants; numbers are means per micrograph (Poisson).

    Parameters
    ----------
    second_protein : Structure, optional
        Molecules that are not wanted.
    second_protein_per_particle : float
        How many of them.
    carbon_probability : float
        Share of micrographs that show the carbon film around the hole.
    ice_crystals, ethane_blobs, gold_beads : float
        Means per micrograph.
    """

    second_protein: Structure | None = field(
        default_factory=lambda: Structure(Phantom.GLOBULE)
    )
    second_protein_per_particle: float = 0.1
    carbon_probability: float = 0.25
    ice_crystals: float = 1.0
    ethane_blobs: float = 0.5
    gold_beads: float = 0.3

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_parts({"carbon_probability": self.carbon_probability})
        require_at_least(
            0,
            {
                "second_protein_per_particle": self.second_protein_per_particle,
                "ice_crystals": self.ice_crystals,
                "ethane_blobs": self.ethane_blobs,
                "gold_beads": self.gold_beads,
            },
        )

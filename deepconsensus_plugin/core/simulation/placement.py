# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement of molecules: apart, overlapping or in clumps, off carbon and dirt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepconsensus_plugin.core.simulation.contaminants import Contaminant
from deepconsensus_plugin.core.simulation.library import Library, Species, draw_species
from deepconsensus_plugin.core.simulation.orientations import draw_angles
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.simulation.specimen import Field
from deepconsensus_plugin.core.types import BoolArray, FloatArray

_TRIES = 200
_FULL = 5  # so many molecules in a row that found no room: there is none
_MEMBERS = (5, 16)
_BROKEN_IN_CLUMPS = 0.4


@dataclass(frozen=True, eq=False)
class Molecule:
    """One molecule on the canvas.

    Parameters
    ----------
    y, x : float
        Centre, pixels of the micrograph; it may lie outside.
    species : Species
        Species of the molecule.
    is_wanted : bool
        Whether it is a particle, or of the second protein.
    fragment : int or None
        Number of the fragment, if it is broken.
    angles : array, shape (3,)
        rot, tilt, psi, degrees.
    """

    y: float
    x: float
    species: Species
    is_wanted: bool
    fragment: int | None
    angles: FloatArray


@dataclass(frozen=True, eq=False)
class OccupiedArea:
    """Area without room for molecules.

    Parameters
    ----------
    field : Field
        The area.
    carbon : array of the canvas' shape, bool, optional
        Where there is a film.
    dirt : sequence of Contaminant
        Pieces that molecules keep off.
    """

    field: Field
    carbon: BoolArray | None
    dirt: Sequence[Contaminant]


def place_molecules(
    parameters: SimulationParameters,
    library: Library,
    ground: OccupiedArea,
    rng: np.random.Generator,
) -> list[Molecule]:
    """Return the molecules of one micrograph, with those that reach into it.

    Clumps first, then particles one by one, each where it finds room (random
    sequential addition) or, for the share that overlaps, beside another.
    """
    crowd, contamination = parameters.crowd, parameters.contamination
    reach = library.diameter_A / 2 / parameters.sampling_rate
    placed = _Placed(ground, reach, crowd.spacing, rng)
    for _ in range(rng.poisson(crowd.aggregates)):
        n_members = int(rng.integers(*_MEMBERS))
        placed.add_clump(draw_species(library.wanted, n_members, rng))
    # As dense beyond the border as within.
    rows, columns = parameters.shape
    larger = (rows + 2 * reach) * (columns + 2 * reach) / (rows * columns)
    n_particles = round(crowd.particles_per_micrograph * larger)
    n_in_vain = 0
    for species in draw_species(library.wanted, n_particles, rng):
        if n_in_vain == _FULL:
            break
        beside = rng.random() < crowd.overlapping_fraction
        found = placed.add_beside(species) if beside else placed.add_apart(species)
        n_in_vain = 0 if found else n_in_vain + 1
    n_wanted = len(placed.species)
    if library.unwanted is not None:
        mean = n_particles * contamination.second_protein_per_particle
        for _ in range(rng.poisson(mean)):
            placed.add_apart(library.unwanted)
    return _molecules(placed, n_wanted, crowd.broken_fraction, parameters, rng)


def _molecules(
    placed: _Placed,
    n_wanted: int,
    broken_fraction: float,
    parameters: SimulationParameters,
    rng: np.random.Generator,
) -> list[Molecule]:
    """Return the placed molecules with their views; some are broken."""
    n = len(placed.species)
    angles = draw_angles(n, rng, tilt_spread_deg=parameters.crowd.tilt_spread_deg)
    chance = np.where(placed.is_clumped, _BROKEN_IN_CLUMPS, broken_fraction)
    is_broken = rng.random(n) < chance
    molecules = []
    for index, species in enumerate(placed.species):
        fragment = None
        if is_broken[index] and species.fragments:
            fragment = int(rng.integers(len(species.fragments)))
        y, x = placed.yx[index]
        molecules.append(
            Molecule(y, x, species, index < n_wanted, fragment, angles[index])
        )
    return molecules


@dataclass(eq=False)
class _Placed:
    """Molecules placed so far, one added at a time."""

    ground: OccupiedArea
    reach: float
    spacing: float
    rng: np.random.Generator
    yx: list[tuple[float, float]] = field(default_factory=list)
    species: list[Species] = field(default_factory=list)
    is_clumped: list[bool] = field(default_factory=list)

    def add_apart(self, species: Species) -> bool:
        """Add a molecule where there is room; False if none was found."""
        for _ in range(_TRIES):
            y, x = self._anywhere()
            if self._is_free(y, x, species) and self._is_apart(y, x, species):
                self._add(y, x, species)
                return True
        return False

    def add_beside(self, species: Species) -> bool:
        """Add a molecule that overlaps with an earlier one, if there is one."""
        if not self.yx:
            return self.add_apart(species)
        for _ in range(_TRIES):
            y, x = self._beside(int(self.rng.integers(len(self.yx))), (0.35, 0.9))
            if self._is_free(y, x, species):
                self._add(y, x, species)
                return True
        return False

    def add_clump(self, members: Sequence[Species]) -> None:
        """Add molecules that stick together."""
        first = len(self.yx)
        if not self.add_apart(members[0]):
            return
        for species in members[1:]:
            y, x = self._beside(int(self.rng.integers(first, len(self.yx))), (0.5, 0.8))
            if self._is_free(y, x, species):
                self._add(y, x, species)
        self.is_clumped[first:] = [True] * (len(self.yx) - first)

    def _add(self, y: float, x: float, species: Species) -> None:
        self.yx.append((y, x))
        self.species.append(species)
        self.is_clumped.append(False)

    def _anywhere(self) -> tuple[float, float]:
        shape = np.array(self.ground.field.shape)
        y, x = self.rng.uniform(-self.reach, shape - 1 + self.reach)
        return float(y), float(x)

    def _beside(self, index: int, span: tuple[float, float]) -> tuple[float, float]:
        """Return a place at a distance of `span` widths from a molecule."""
        width = self.species[index].width_A / self.ground.field.sampling_rate
        distance = self.rng.uniform(*span) * width
        angle = self.rng.uniform(0, 2 * np.pi)
        y, x = self.yx[index]
        return y + distance * float(np.sin(angle)), x + distance * float(np.cos(angle))

    def _is_free(self, y: float, x: float, species: Species) -> bool:
        """Return whether a place is free of carbon and dirt and inside the canvas."""
        area, carbon = self.ground.field, self.ground.carbon
        radius = species.width_A / 2 / area.sampling_rate
        row, column = round(y) + area.margin, round(x) + area.margin
        if not (0 <= row < area.canvas[0] and 0 <= column < area.canvas[1]):
            return False
        if carbon is not None and carbon[row, column]:
            return False
        return all(
            np.hypot(y - piece.y, x - piece.x)
            > 1.2 * piece.radius_A / area.sampling_rate + radius
            for piece in self.ground.dirt
        )

    def _is_apart(self, y: float, x: float, species: Species) -> bool:
        if not self.yx:
            return True
        widths = np.array([each.width_A for each in self.species])
        needed = (widths + species.width_A) / 2 / self.ground.field.sampling_rate
        distances = np.hypot(*(np.array(self.yx) - (y, x)).T)
        return bool((distances >= self.spacing * needed).all())

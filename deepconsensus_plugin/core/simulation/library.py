# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecules of a simulation, whole and broken, ready to be projected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deepconsensus_plugin.core.simulation.assemblies import make_assembly
from deepconsensus_plugin.core.simulation.atoms import ATOM_FILES, read_atoms
from deepconsensus_plugin.core.simulation.maps import read_potential
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.simulation.phantoms import make_phantom
from deepconsensus_plugin.core.simulation.potential import (
    PotentialMap,
    cut,
    potential_of_atoms,
)
from deepconsensus_plugin.core.simulation.projection import FourierVolume, transform
from deepconsensus_plugin.core.simulation.structures import Structure

_N_FRAGMENTS = 3


@dataclass(frozen=True, eq=False)
class Species:
    """One kind of molecule.

    Parameters
    ----------
    name : str
        Name of its structure.
    share : float
        How many there are, in proportion to others.
    diameter_A : float
        Diameter of the smallest sphere around its centre that holds it, Å.
    width_A : float
        Diameter of a ball with its radius of gyration, Å: how far apart neighbours look
        apart.
    whole : FourierVolume
        The molecule.
    fragments : tuple of FourierVolume
        Fragments of broken ones.
    """

    name: str
    share: float
    diameter_A: float
    width_A: float
    whole: FourierVolume
    fragments: tuple[FourierVolume, ...]


@dataclass(frozen=True, eq=False)
class Library:
    """All molecules of a simulation.

    Parameters
    ----------
    wanted : tuple of Species
        The particles.
    unwanted : Species or None
        The second protein.
    """

    wanted: tuple[Species, ...]
    unwanted: Species | None

    @property
    def diameter_A(self) -> float:
        """Diameter of the largest wanted particle, Å."""
        return max(species.diameter_A for species in self.wanted)


def load_library(parameters: SimulationParameters) -> Library:
    """Return the molecules that `parameters` name; the latest ones are remembered.

    Raises
    ------
    FileNotFoundError
        If the file of a structure is not there.
    FileFormatError
        If it is no structure.
    ValueError
        If a molecule is too large for the resolution.
    """
    resolution = parameters.drawn_resolution_A
    breaks = parameters.crowd.broken_fraction > 0 or parameters.crowd.aggregates > 0
    n_fragments = _N_FRAGMENTS if breaks else 0
    wanted = [
        _load(structure, resolution, n_fragments, (parameters.seed, number))
        for number, structure in enumerate(parameters.structures)
    ]
    second = parameters.contamination.second_protein
    unwanted = None
    if second is not None and parameters.contamination.second_protein_per_particle > 0:
        unwanted = _load(second, resolution, 0, (parameters.seed, -1))
    return Library(tuple(wanted), unwanted)


@lru_cache(maxsize=8)
def _load(
    structure: Structure, resolution_A: float, n_fragments: int, seed: tuple[int, int]
) -> Species:
    density = _density(structure, resolution_A)
    rng = np.random.default_rng([seed[0], seed[1] + 1, _N_FRAGMENTS])
    fragments = [transform(_trimmed(cut(density, rng))) for _ in range(n_fragments)]
    return Species(
        structure.name,
        structure.share,
        density.diameter_A,
        density.width_A,
        transform(density),
        tuple(fragments),
    )


def _density(structure: Structure, resolution_A: float) -> PotentialMap:
    if structure.phantom is not None:
        return potential_of_atoms(make_phantom(structure.phantom), resolution_A)
    if structure.assembly is not None:
        return potential_of_atoms(make_assembly(structure.assembly), resolution_A)
    path = structure.path
    if path is None:
        raise ValueError("expected a structure, received none")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the file of a structure is not there")
    if path.name.removesuffix(".gz").lower().endswith(ATOM_FILES):
        return potential_of_atoms(read_atoms(path), resolution_A)
    return read_potential(path, resolution_A, voxel_size_A=structure.voxel_size_A)


def _trimmed(density: PotentialMap) -> PotentialMap:
    """Return the smallest even cube that holds the molecule, to save memory."""
    side = len(density.values)
    occupied = np.argwhere(np.abs(density.values) > 0.02 * density.values.max())
    reach = int(np.abs(occupied - side // 2).max()) + 2
    inner = slice(max(side // 2 - reach, 0), min(side // 2 + reach, side))
    return PotentialMap(density.values[inner, inner, inner], density.voxel_size_A)


def draw_species(
    species: Sequence[Species], n: int, rng: np.random.Generator
) -> list[Species]:
    """Return `n` of `species`, drawn by their shares."""
    shares = np.array([each.share for each in species])
    drawn = rng.choice(len(species), n, p=shares / shares.sum())
    return [species[index] for index in drawn]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecules made of ellipsoids: domains of a subunit, set out by symmetry.

Each domain is a pile of overlapping globules of residues, so that projections have the
texture of domains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from deepconsensus_plugin.core.simulation.atoms import Atoms
from deepconsensus_plugin.core.simulation.scattering import (
    NUCLEIC_VOLUME_PER_DALTON,
    POTENTIAL_PER_SCATTERING,
    RESIDUE_MASS,
    RESIDUE_SCATTERING,
    VOLUME_PER_DALTON,
)
from deepconsensus_plugin.core.types import FloatArray

Triple = tuple[float, float, float]

_GLOBULE_RADIUS = 11.0
_RESIDUE_SPACING = (RESIDUE_MASS * VOLUME_PER_DALTON) ** (1 / 3)


@dataclass(frozen=True)
class Domain:
    """An ellipsoid.

    Parameters
    ----------
    centre, semi_axes : tuple of float
        Along x, y, z, Å.
    turn : float
        About y, degrees.
    density : float
        Potential of its points, in those of protein; detergent has less.
    """

    centre: Triple
    semi_axes: Triple
    turn: float = 0.0
    density: float = 1.0


@dataclass(frozen=True)
class Plan:
    """Domains of one subunit, repeated by a point group.

    Parameters
    ----------
    group : str
        In Schoenflies' notation: Cn, Dn, T, O, I; the axis is z.
    domains : tuple of Domain
        Domains of one subunit.
    nucleic_fraction : float
        Share of points that are nucleic acid, denser than protein.
    """

    group: str
    domains: tuple[Domain, ...]
    nucleic_fraction: float = 0.0


def build(plan: Plan, rng: np.random.Generator) -> Atoms:
    """Return the residues of a molecule, as points that scatter."""
    subunit = np.concatenate([_fill(domain, rng) for domain in plan.domains])
    # Domains of a subunit overlap; no residue stands where another does.
    subunit = subunit[_apart(subunit[:, :3], 0.4 * _RESIDUE_SPACING)]
    xyz, density = subunit[:, :3], subunit[:, 3]
    copies = Rotation.create_group(plan.group).as_matrix()
    xyz = np.concatenate([xyz @ copy.T for copy in copies])
    kept = _apart(xyz, 0.4 * _RESIDUE_SPACING)
    xyz, density = xyz[kept], np.tile(density, len(copies))[kept]
    # Nucleic acid packs more mass into a residue's volume.
    denser = VOLUME_PER_DALTON / NUCLEIC_VOLUME_PER_DALTON
    is_nucleic = rng.random(len(xyz)) < plan.nucleic_fraction
    density = np.where(is_nucleic, denser, density)
    protein = POTENTIAL_PER_SCATTERING * RESIDUE_SCATTERING
    volume = np.full(len(xyz), RESIDUE_MASS * VOLUME_PER_DALTON)
    return Atoms(xyz, protein * density, volume)


def _fill(domain: Domain, rng: np.random.Generator) -> FloatArray:
    """Return residues packed in globules that lie inside an ellipsoid.

    Returns
    -------
    array, shape (n, 4)
        x, y, z, Å; and the domain's density.
    """
    axes = np.array(domain.semi_axes)
    steps = [np.arange(-axis, axis + 1e-6, _RESIDUE_SPACING) for axis in axes]
    lattice = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lattice = lattice + rng.normal(0, 0.3 * _RESIDUE_SPACING, lattice.shape)
    inner = np.maximum(axes - 0.6 * _GLOBULE_RADIUS, 1.0)
    # Somewhat fewer globules than would fill it: clefts and a bumpy surface.
    n_globules = max(3, round(2.5 * np.prod(axes) / _GLOBULE_RADIUS**3))
    directions = rng.normal(size=(n_globules, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    centres = directions * rng.random((n_globules, 1)) ** (1 / 3) * inner
    nearest, _ = cKDTree(centres).query(lattice)
    inside = ((lattice / axes) ** 2).sum(axis=1) <= 1
    kept = lattice[inside & (nearest < _GLOBULE_RADIUS)]
    turned = Rotation.from_euler("y", domain.turn, degrees=True).apply(kept)
    placed = turned + np.array(domain.centre)
    return np.column_stack([placed, np.full(len(placed), domain.density)])


def _apart(xyz: FloatArray, distance: float) -> FloatArray:
    """Return the indices of points that remain when close ones lose their later."""
    pairs = cKDTree(xyz).query_pairs(distance, output_type="ndarray")
    return np.setdiff1d(np.arange(len(xyz)), pairs.max(axis=1, initial=-1))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Built-in structures: subunits of ellipsoids, set out by symmetry, made of residues.

They have the sizes and masses of well-known molecules and nothing else of theirs. Each
subunit is a heap of overlapping globules inside its ellipsoids, so that projections
have the texture of domains. The same phantom is the same at every call.
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
from deepconsensus_plugin.core.simulation.structures import Phantom
from deepconsensus_plugin.core.types import BoolArray, FloatArray

Triple = tuple[float, float, float]

_GLOBULE_RADIUS = 11.0
_RESIDUE_SPACING = (RESIDUE_MASS * VOLUME_PER_DALTON) ** (1 / 3)


@dataclass(frozen=True)
class _Domain:
    """An ellipsoid, Å: centre and semi-axes along x, y, z; turned about y, degrees."""

    centre: Triple
    semi_axes: Triple
    turn: float = 0.0


@dataclass(frozen=True)
class _Plan:
    """Domains of one subunit, repeated by a point group (axis z)."""

    group: str
    domains: tuple[_Domain, ...]
    nucleic_fraction: float = 0.0


_PLANS = {
    # β-galactosidase: D2, 465 kDa, 180 × 130 × 90 Å.
    Phantom.TETRAMER: _Plan(
        "D2",
        (
            _Domain((34, 21, 11), (39, 34, 29), 20),
            _Domain((65, 16, 15), (24, 24, 22)),
        ),
    ),
    # Apoferritin: a hollow sphere of 24 rods, 480 kDa, 124 Å.
    Phantom.SHELL: _Plan("O", (_Domain((14, 25, 39), (29, 15, 14), 20),)),
    # GroEL: two rings of seven, 800 kDa, 140 × 145 Å with a channel of 45 Å.
    Phantom.BARREL: _Plan(
        "D7",
        (
            _Domain((47, 0, 18), (24, 23, 20), 10),
            _Domain((45, 6, 52), (23, 21, 21), -20),
        ),
    ),
    # A ribosome: two unlike halves, a third of it protein, 2.5 MDa, 250 Å.
    Phantom.TWO_LOBES: _Plan(
        "C1",
        (
            _Domain((0, 0, -28), (94, 86, 70), 10),
            _Domain((10, 0, 66), (92, 50, 40), -10),
            _Domain((-78, 20, 36), (26, 24, 36)),
        ),
        nucleic_fraction=0.65,
    ),
    # An antibody: three arms, 150 kDa.
    Phantom.WISHBONE: _Plan(
        "C1",
        (
            _Domain((0, 0, -38), (25, 20, 36)),
            _Domain((46, 8, 30), (20, 21, 40), 50),
            _Domain((-46, -8, 30), (20, 21, 40), -60),
        ),
    ),
    # Haemoglobin: four small balls, 64 kDa, 60 Å.
    Phantom.GLOBULE: _Plan("D2", (_Domain((14, 13, 9), (18, 18, 17)),)),
}


def make_phantom(phantom: Phantom) -> Atoms:
    """Return the residues of a built-in structure, as points that scatter."""
    plan = _PLANS[phantom]
    # A seed of its own: users' seeds must not change what a phantom is.
    rng = np.random.default_rng(list(phantom.value.encode()))
    subunit = np.concatenate([_fill(domain, rng) for domain in plan.domains])
    # Domains of a subunit overlap; no residue stands where another does.
    subunit = subunit[_apart(subunit, 0.4 * _RESIDUE_SPACING)]
    copies = Rotation.create_group(plan.group).as_matrix()
    xyz = np.concatenate([subunit @ copy.T for copy in copies])
    xyz = xyz[_apart(xyz, 0.4 * _RESIDUE_SPACING)]
    return _residues(xyz, rng.random(len(xyz)) < plan.nucleic_fraction)


def _fill(domain: _Domain, rng: np.random.Generator) -> FloatArray:
    """Return residues packed in globules that lie inside an ellipsoid, shape (n, 3)."""
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
    return np.asarray(turned + np.array(domain.centre))


def _apart(xyz: FloatArray, distance: float) -> FloatArray:
    """Return the indices of points that remain when close ones lose their later."""
    pairs = cKDTree(xyz).query_pairs(distance, output_type="ndarray")
    return np.setdiff1d(np.arange(len(xyz)), pairs.max(axis=1, initial=-1))


def _residues(xyz: FloatArray, nucleic: BoolArray) -> Atoms:
    """Points of one residue's volume each; nucleic acid packs more mass into it."""
    volume = RESIDUE_MASS * VOLUME_PER_DALTON
    denser = VOLUME_PER_DALTON / NUCLEIC_VOLUME_PER_DALTON
    protein = POTENTIAL_PER_SCATTERING * RESIDUE_SCATTERING
    potential = np.where(nucleic, denser * protein, protein)
    return Atoms(xyz, potential, np.full(len(xyz), volume))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Potential of a molecule on a grid, less that of the ice it displaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.ndimage
from scipy.spatial.transform import Rotation

from deepconsensus_plugin.core.simulation.atoms import Atoms
from deepconsensus_plugin.core.simulation.scattering import (
    ICE_POTENTIAL,
    POTENTIAL_PER_SCATTERING,
    RESIDUE_MASS,
    RESIDUE_SCATTERING,
    VOLUME_PER_DALTON,
    atom_shape,
    displaced_shape,
)
from deepconsensus_plugin.core.types import FloatArray

VOXELS_PER_RESOLUTION = 3.0
_MAX_SIDE = 320

_PROTEIN_POTENTIAL = (
    POTENTIAL_PER_SCATTERING * RESIDUE_SCATTERING / (RESIDUE_MASS * VOLUME_PER_DALTON)
)
"""Mean inner potential of protein, V: 8.0."""

PROTEIN_CONTRAST = _PROTEIN_POTENTIAL - ICE_POTENTIAL
"""V above ice: 3.5."""


@dataclass(frozen=True, eq=False)
class PotentialMap:
    """A molecule in ice, in a cube around its centre.

    Parameters
    ----------
    values : array, shape (n, n, n), float32
        V above ice, indices z, y, x; n even, the molecule's centre of potential at
        n // 2.
    voxel_size_A : float
        Å.
    """

    values: FloatArray
    voxel_size_A: float

    @property
    def diameter_A(self) -> float:
        """Diameter of the smallest centred sphere that holds the molecule, Å."""
        return float(2 * np.quantile(self._radii(), 0.999))

    @property
    def width_A(self) -> float:
        """Diameter of a ball with the same radius of gyration, Å."""
        return float(2 * np.sqrt(5 / 3 * np.mean(self._radii() ** 2)))

    def _radii(self) -> FloatArray:
        """Return the distances from the centre of the voxels that are molecule, Å."""
        inside = np.argwhere(self.values > 0.3 * PROTEIN_CONTRAST)
        if not len(inside):  # a faint map: all that stands out
            inside = np.argwhere(self.values > 0.3 * self.values.max())
        offsets = inside - len(self.values) // 2
        return np.asarray(np.linalg.norm(offsets, axis=1) * self.voxel_size_A)


def potential_of_atoms(atoms: Atoms, resolution_A: float) -> PotentialMap:
    """Return the potential of atoms in ice, drawn to a resolution.

    Parameters
    ----------
    atoms : Atoms
        Atoms of one molecule.
    resolution_A : float
        Fourier amplitudes fall to 1/e there, as ChimeraX's molmap draws them.

    Raises
    ------
    ValueError
        If the molecule would need a grid of more than 320³.
    """
    voxel = resolution_A / VOXELS_PER_RESOLUTION
    net = atoms.potential - ICE_POTENTIAL * atoms.volume
    xyz = atoms.xyz - np.average(atoms.xyz, axis=0, weights=net)
    radius = np.linalg.norm(xyz, axis=1).max() + 2 * resolution_A
    side = even_side(radius, voxel, resolution_A)
    frequency = np.fft.fftfreq(side, voxel)
    half = np.fft.rfftfreq(side, voxel)
    z2, y2, x2 = np.meshgrid(frequency**2, frequency**2, half**2, indexing="ij")
    s2 = (z2 + y2 + x2).astype(np.float32)
    spectrum = np.zeros(s2.shape, np.complex64)
    position = xyz[:, ::-1] / voxel + side // 2
    for weights, shape in (
        (atoms.potential, atom_shape),
        (-ICE_POTENTIAL * atoms.volume, displaced_shape),
    ):
        grid = _spread(position, weights / voxel**3, side)
        spectrum += scipy.fft.rfftn(grid) * _by_radius(shape, s2)
    spectrum *= np.exp(-s2 * np.float32(resolution_A**2))
    # Spreading a point over its voxels blurs; undo it.
    along = np.sinc(frequency * voxel).astype(np.float32) ** 2
    spectrum /= along[:, None, None] * along[None, :, None]
    spectrum /= np.sinc(half * voxel).astype(np.float32) ** 2
    values = scipy.fft.irfftn(spectrum, s=(side, side, side))
    return PotentialMap(np.asarray(values, dtype=np.float32), voxel)


def cut(density: PotentialMap, rng: np.random.Generator) -> PotentialMap:
    """Return what is left of a molecule that broke: 40 – 65 % of it, centred anew."""
    side = len(density.values)
    axis = np.arange(side) - side // 2
    normal = Rotation.random(random_state=int(rng.integers(2**31))).apply([0, 0, 1.0])
    height = (
        normal[2] * axis[:, None, None]
        + normal[1] * axis[None, :, None]
        + normal[0] * axis[None, None, :]
    )
    rough = scipy.ndimage.gaussian_filter(rng.normal(size=height.shape), side / 20)
    height += rough * (side / 15 / rough.std())
    weight = np.clip(density.values, 0, None).ravel()
    order = np.argsort(height, axis=None)
    cumulative = np.cumsum(weight[order])
    kept = rng.uniform(0.4, 0.65) * cumulative[-1]
    level = height.ravel()[order[np.searchsorted(cumulative, kept)]]
    mask = np.clip(0.5 - (height - level) / 2, 0, 1)
    return centred(PotentialMap(density.values * mask, density.voxel_size_A))


def even_side(radius: float, voxel: float, resolution_A: float) -> int:
    """Return the side of a grid that holds a ball, even and quick to transform.

    Raises
    ------
    ValueError
        If it would be more than 320; the message tells a resolution that is not.
    """
    side = 2 * scipy.fft.next_fast_len(int(np.ceil(radius / voxel)), real=True)
    if side > _MAX_SIDE:
        raise ValueError(
            f"a molecule of radius {radius:.0f} Å at a resolution of "
            f"{resolution_A:g} Å needs a grid of {side}³, expected at most "
            f"{_MAX_SIDE}³: choose a resolution of "
            f"{resolution_A * side / _MAX_SIDE:.1f} Å or coarser"
        )
    return int(side)


def _spread(position: FloatArray, weights: FloatArray, side: int) -> FloatArray:
    """Return weights shared out among the eight voxels around each position."""
    base = np.floor(position).astype(np.intp)
    part = position - base
    grid = np.zeros(side**3)
    for corner in np.ndindex(2, 2, 2):
        share = np.where(corner, part, 1 - part).prod(axis=1)
        index = np.ravel_multi_index(tuple((base + corner).T), (side,) * 3)
        grid += np.bincount(index, share * weights, minlength=side**3)
    return grid.reshape((side,) * 3).astype(np.float32)


def _by_radius(shape: Callable[[FloatArray], FloatArray], s2: FloatArray) -> FloatArray:
    """Return a radial function of s², evaluated on few radii and interpolated."""
    known = np.linspace(0, float(s2.max()), 2048)
    return np.interp(s2, known, shape(known)).astype(np.float32)


def centred(density: PotentialMap) -> PotentialMap:
    """Return the map moved so that its centre of potential is at n // 2."""
    values = density.values
    mass = np.clip(values, 0, None)
    middle = np.array(scipy.ndimage.center_of_mass(mass))
    shift = len(values) // 2 - middle
    moved = scipy.ndimage.shift(values, shift, order=1)
    return PotentialMap(np.asarray(moved, dtype=np.float32), density.voxel_size_A)

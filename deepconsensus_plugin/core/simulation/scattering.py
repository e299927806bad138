# SPDX-License-Identifier: GPL-3.0-or-later
"""Electron scattering of matter: potentials, volumes and mean free paths.

Isolated atoms, as Vulović et al. (2013) find sufficient for proteins in ice. Lengths
in Å, potentials in V. Sources of all figures: docs/simulation.md.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from deepconsensus_plugin.core.types import FloatArray

POTENTIAL_PER_SCATTERING = 47.878
"""h² / (2π m e), V·Å²: a scattering factor f(0) in Å is this integral in V·Å³."""

# f(0) in Å: sums of the five coefficients of Peng et al. (1996), International Tables
# C 4.3.2.2; atomic masses in Da; hydrogens bound to each atom of a biomolecule.
_SCATTERING = {
    "H": 0.529,
    "C": 2.509,
    "N": 2.214,
    "O": 1.983,
    "F": 1.801,
    "NA": 4.776,
    "MG": 5.208,
    "P": 5.488,
    "S": 5.160,
    "CL": 4.858,
    "K": 8.983,
    "CA": 9.913,
    "MN": 7.506,
    "FE": 7.164,
    "CO": 6.853,
    "NI": 6.562,
    "CU": 5.599,
    "ZN": 6.060,
    "SE": 7.204,
    "BR": 7.060,
    "I": 10.905,
    "AU": 10.571,
}
_MASS = {
    "H": 1.008,
    "C": 12.011,
    "N": 14.007,
    "O": 15.999,
    "F": 18.998,
    "NA": 22.990,
    "MG": 24.305,
    "P": 30.974,
    "S": 32.06,
    "CL": 35.45,
    "K": 39.098,
    "CA": 40.078,
    "MN": 54.938,
    "FE": 55.845,
    "CO": 58.933,
    "NI": 58.693,
    "CU": 63.546,
    "ZN": 65.38,
    "SE": 78.971,
    "BR": 79.904,
    "I": 126.904,
    "AU": 196.967,
}
ELEMENTS = frozenset(_SCATTERING)
"""Symbols, upper case, of the elements that are known here."""

_HYDROGENS = {"C": 1.2, "N": 1.2, "O": 0.13}
"""So that the mean protein (C 4.94, N 1.36, O 1.48, H 7.76) has all of its own."""

_CARBON_A = np.array([0.0893, 0.2563, 0.7570, 1.0487, 0.3575])
_CARBON_B = np.array([0.2465, 1.7100, 6.4094, 18.6113, 50.2523])

VOLUME_PER_DALTON = 1.212
"""Å³/Da of protein: partial specific volume 0.73 cm³/g."""

NUCLEIC_VOLUME_PER_DALTON = 0.91
"""Å³/Da of nucleic acids: 0.55 cm³/g."""

RESIDUE_MASS = 110.0
"""Da of the mean amino acid."""

WATER_PER_VOLUME = 0.0314
"""Molecules per Å³ of vitreous ice, 0.94 g/cm³."""

WATER_SCATTERING = _SCATTERING["O"] + 2 * _SCATTERING["H"]
ICE_POTENTIAL = POTENTIAL_PER_SCATTERING * WATER_PER_VOLUME * WATER_SCATTERING
"""Mean inner potential of the isolated atoms of ice, V: 4.57."""

CARBON_POTENTIAL = 9.09
"""Mean inner potential of amorphous carbon, V (Wanner et al. 2006)."""

CARBON_PER_VOLUME = 0.0878
"""Atoms per Å³ of that carbon, 1.75 g/cm³."""

CARBON_SCATTERING = _SCATTERING["C"]
ETHANE_POTENTIAL = 4.25
"""Isolated atoms of liquid ethane, 0.54 g/cm³, V."""

GOLD_POTENTIAL = 29.9
"""Isolated atoms of gold, 19.3 g/cm³, V."""

RESIDUE_SCATTERING = 22.4
"""f(0) of the mean amino acid of `RESIDUE_MASS`, Å."""


class Medium(Enum):
    """Medium that electrons pass; values are mean free paths at 300 kV, Å.

    First that of scattering outside the aperture, then that of losing energy. Ice: Rice
    et al. (2018). Carbon and ethane: ice by mass per area. Ice crystals scatter into
    Bragg reflections outside the aperture besides. Gold: Langmore and Smith (1992).
    """

    ICE = (3220.0, 3950.0)
    CARBON = (1730.0, 2120.0)
    ETHANE = (5600.0, 6900.0)
    CRYSTAL = (1000.0, 3950.0)
    GOLD = (180.0, 800.0)


def mean_free_paths(medium: Medium, voltage_kV: float) -> tuple[float, float]:
    """Return both mean free paths of `medium`, Å: they grow with the speed squared."""
    slower = _speed_squared(voltage_kV) / _speed_squared(300.0)
    elastic, inelastic = medium.value
    return elastic * slower, inelastic * slower


def _speed_squared(voltage_kV: float) -> float:
    return 1.0 - 1.0 / (1.0 + voltage_kV / 510.99895) ** 2


def atom_potential(element: str) -> float:
    """Return the potential of an atom of `ELEMENTS` with its hydrogens, V·Å³."""
    hydrogens = _HYDROGENS.get(element, 0.0) * _SCATTERING["H"]
    return POTENTIAL_PER_SCATTERING * (_SCATTERING[element] + hydrogens)


def atom_volume(element: str, *, nucleic: bool) -> float:
    """Return the ice that an atom and its hydrogens displace, Å³."""
    mass = _MASS[element] + _HYDROGENS.get(element, 0.0) * _MASS["H"]
    return mass * (NUCLEIC_VOLUME_PER_DALTON if nucleic else VOLUME_PER_DALTON)


def atom_shape(s2: FloatArray) -> FloatArray:
    """Return the fall-off f(s) / f(0) of a light atom (carbon); `s2` = s², 1/Å²."""
    terms = np.exp(-_CARBON_B * s2[..., None] / 4) @ _CARBON_A
    return np.asarray(terms / _CARBON_A.sum(), dtype=s2.dtype)


def displaced_shape(s2: FloatArray) -> FloatArray:
    """Return the fall-off of the ice that an atom displaces (Fraser et al. 1978).

    ``exp(-π s² V^(2/3))`` with the volume V of the mean atom of a protein, 18 Å³.
    """
    return np.asarray(np.exp(-np.pi * s2 * 18.0 ** (2 / 3)), dtype=s2.dtype)

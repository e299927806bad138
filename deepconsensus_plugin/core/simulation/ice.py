# SPDX-License-Identifier: GPL-3.0-or-later
"""Ice: its thickness, and the granularity of ice and carbon film.

Grain is drawn as a random field of a given spectrum: water and carbon by their number
of atoms, scattering factor and structure factor, unfolded protein on the surfaces by
its size. Sources: docs/simulation.md.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from deepconsensus_plugin.core.simulation.potential import PROTEIN_CONTRAST
from deepconsensus_plugin.core.simulation.sample import Ice
from deepconsensus_plugin.core.simulation.scattering import (
    CARBON_PER_VOLUME,
    CARBON_SCATTERING,
    POTENTIAL_PER_SCATTERING,
    VOLUME_PER_DALTON,
    WATER_PER_VOLUME,
    WATER_SCATTERING,
    atom_shape,
)
from deepconsensus_plugin.core.simulation.specimen import Field, radial_frequency
from deepconsensus_plugin.core.types import FloatArray

_STEPS_PER_DOSE_A2 = 1.1
"""Mean square displacement of a water molecule per e/Å² (McMullan et al. 2015)."""

_CARBON_STRUCTURE_FACTOR = 0.3
_CHAIN_MASS = 15_000.0
_CHAIN_GYRATION_RADIUS = 25.0
_N_WAVES = 6


def draw_thickness(
    ice: Ice,
    mean_A: float,
    field: Field,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the thickness of the ice on the canvas, Å, float32: a wedge with waves."""
    y, x = field.axes()
    span = max(field.shape)
    direction = rng.uniform(0, 2 * np.pi)
    v, u = (y - field.shape[0] / 2) / span, (x - field.shape[1] / 2) / span
    relative = 1 + np.float32(ice.gradient) * (
        np.sin(direction) * v + np.cos(direction) * u
    )
    amplitude = ice.roughness * np.sqrt(2 / _N_WAVES)
    for angle, turns, phase in zip(
        rng.uniform(0, np.pi, _N_WAVES),
        rng.uniform(0.5, 3, _N_WAVES),
        rng.uniform(0, 2 * np.pi, _N_WAVES),
        strict=True,
    ):
        ky, kx = 2 * np.pi * turns * np.array([np.sin(angle), np.cos(angle)])
        along_y = np.exp(1j * ky * v + 1j * phase)
        along_x = np.exp(1j * kx * u)  # a product of two lines: no cosine per pixel
        wave = along_y.real * along_x.real - along_y.imag * along_x.imag
        relative += (amplitude * wave).astype(np.float32)
    thickness = np.maximum(relative, 0.1) * np.float32(mean_A)
    return np.asarray(thickness, dtype=np.float32)


def water_grain(
    s: FloatArray,
    thickness_A: float,
    dose_e_per_A2: float,
) -> FloatArray:
    """Return the spectrum of the potential of water in ice.

    Parameters
    ----------
    s : array
        Spatial frequency, 1/Å.
    thickness_A : float
        Thickness of the ice.
    dose_e_per_A2 : float
        The molecules wander while they are exposed: fine grain is blurred.

    Returns
    -------
    array of the shape of `s`
        Power per area, (V·Å)² Å².
    """
    molecule = POTENTIAL_PER_SCATTERING * WATER_SCATTERING * atom_shape(s**2)
    power = WATER_PER_VOLUME * thickness_A * molecule**2 * _water_structure_factor(s)
    wandered = 2 * np.pi**2 * s**2 * (_STEPS_PER_DOSE_A2 / 3) * dose_e_per_A2
    return np.asarray(power * _blurred_power(wandered))


def chain_grain(s: FloatArray, mg_per_m2: float) -> FloatArray:
    """Return the spectrum of unfolded protein on the surfaces, (V·Å)² Å².

    Chains of 15 kDa that lie independently: Guinier's law for each.
    """
    chains_per_area = mg_per_m2 * 6.022 / _CHAIN_MASS  # 1 mg/m² is 6.022 Da/Å²
    integral = _CHAIN_MASS * VOLUME_PER_DALTON * PROTEIN_CONTRAST
    fall_off = np.exp(-((2 * np.pi * s * _CHAIN_GYRATION_RADIUS) ** 2) / 3)
    return np.asarray(chains_per_area * integral**2 * fall_off)


def carbon_grain(s: FloatArray, thickness_A: float) -> FloatArray:
    """Return the spectrum of amorphous carbon, (V·Å)² Å²: a solid, nothing wanders."""
    atom = POTENTIAL_PER_SCATTERING * CARBON_SCATTERING * atom_shape(s**2)
    atoms_per_area = CARBON_PER_VOLUME * thickness_A
    return np.asarray(atoms_per_area * atom**2 * _CARBON_STRUCTURE_FACTOR)


def draw_grain(
    spectrum: FloatArray, s: FloatArray, field: Field, rng: np.random.Generator
) -> FloatArray:
    """Return a random field of a radial spectrum.

    Parameters
    ----------
    spectrum, s : array, shape (n,)
        Power per area, (V·Å)² Å², at spatial frequencies in ascending order, 1/Å.
    field : Field
        Its canvas.
    rng : Generator
        Decides.

    Returns
    -------
    array of the canvas' shape, float32
        V·Å.
    """
    white = rng.standard_normal(field.canvas, dtype=np.float32)
    amplitude = np.sqrt(spectrum) / field.sampling_rate
    filtered = scipy.fft.rfft2(white)
    filtered *= np.interp(radial_frequency(field), s, amplitude).astype(np.float32)
    return np.asarray(scipy.fft.irfft2(filtered, s=field.canvas))


def _water_structure_factor(s: FloatArray) -> FloatArray:
    """Return 0.06 for long waves (compressibility), a peak at 3.7 Å, then 1."""
    step = 1 / (1 + np.exp(-(s - 0.23) / 0.015))
    peak = 0.7 * np.exp(-(((s - 0.27) / 0.03) ** 2))
    return np.asarray(0.06 + 0.94 * step + peak)


def _blurred_power(x: FloatArray) -> FloatArray:
    """Return Debye's function: the power left in a mean over a random walk."""
    safe = np.maximum(x, 1e-4)
    return np.asarray(2 * (safe - 1 + np.exp(-safe)) / safe**2)

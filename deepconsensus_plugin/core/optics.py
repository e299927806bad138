# SPDX-License-Identifier: GPL-3.0-or-later
"""Optics of the electron microscope: wavelength, aberrations, contrast transfer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from deepconsensus_plugin.core.types import Ctf, FloatArray

_ELECTRON_REST_ENERGY_KEV = 510.99895


def electron_wavelength(voltage_kV: float) -> float:
    """Return the relativistic wavelength of electrons, Å."""
    volts = voltage_kV * 1e3
    return float(12.2642598 / np.sqrt(volts * (1.0 + 0.978475598e-6 * volts)))


def interaction_constant(voltage_kV: float) -> float:
    """Return the phase shift per projected potential, rad/(V·Å).

    σ = 2π / (λ U) · (m c² + e U) / (2 m c² + e U) (Kirkland 2010, eq. 5.6): 6.53e-4 at
    300 kV.
    """
    rest = _ELECTRON_REST_ENERGY_KEV
    relativistic = (rest + voltage_kV) / (2 * rest + voltage_kV)
    per_volt = 2 * np.pi / (electron_wavelength(voltage_kV) * voltage_kV * 1e3)
    return float(per_volt * relativistic)


def aberration_phase(ctf: Ctf, sy: ArrayLike, sx: ArrayLike) -> FloatArray:
    """Return the phase that the lens gives to a scattered wave, without phase plate.

    χ(s) = π λ Δf(θ) s² − π/2 C_s λ³ s⁴, Δf positive for underfocus.

    Parameters
    ----------
    ctf : Ctf
        Its defocus, angle of astigmatism, voltage and spherical aberration.
    sy, sx : array-like
        Spatial frequencies, 1/Å, of shapes that broadcast.

    Returns
    -------
    array of the broadcast shape
        Radians.
    """
    wavelength = electron_wavelength(ctf.voltage_kV)
    fy, fx = np.asarray(sy), np.asarray(sx)
    # Δf s² with the astigmatism as a quadratic form: no angle is needed.
    mean = (ctf.defocus_u_A + ctf.defocus_v_A) / 2
    half_difference = (ctf.defocus_u_A - ctf.defocus_v_A) / 2
    twice = 2 * np.deg2rad(ctf.defocus_angle_deg)
    y2, x2 = fy**2, fx**2
    s2 = x2 + y2
    along, across = float(np.cos(twice)), float(np.sin(twice))
    astigmatism = half_difference * (along * (x2 - y2) + 2 * across * (fx * fy))
    aberration = ctf.spherical_aberration_mm * 1e7
    defocus_s2 = mean * s2 + astigmatism
    phase = defocus_s2 - aberration * wavelength**2 / 2 * s2**2
    return np.asarray(np.pi * wavelength * phase)


def ctf_values(ctf: Ctf, size: int, sampling_rate: float) -> FloatArray:
    """Return the CTF on the grid of ``np.fft.rfft2`` of a ``size × size`` image.

    ``-sin(χ + φ + arcsin(Q))``, Q the amplitude contrast, φ the phase plate's shift
    (Mindell and Grigorieff, 2003).
    """
    fy = np.fft.fftfreq(size, sampling_rate)[:, None]
    fx = np.fft.rfftfreq(size, sampling_rate)[None, :]
    shift = np.deg2rad(ctf.phase_shift_deg) + np.arcsin(ctf.amplitude_contrast)
    return np.asarray(-np.sin(aberration_phase(ctf, fy, fx) + shift))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Exposure: from a specimen to the intensity on the detector, and its SNR.

The projected potential shifts the phase of the wave (projection approximation), and the
lens acts on the wave, so that thick and heavy objects, which are no weak phase objects,
are simulated correctly too. For weak ones the intensity is 1 + 2 CTF ∗ σV.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from deepconsensus_plugin.core.optics import aberration_phase, interaction_constant
from deepconsensus_plugin.core.simulation.detector import (
    RESPONSES,
    gaussian_transfer,
    noise_fall_off,
    signal_fall_off,
)
from deepconsensus_plugin.core.simulation.parameters import (
    Exposure,
    SimulationParameters,
)
from deepconsensus_plugin.core.simulation.specimen import Field, Specimen
from deepconsensus_plugin.core.simulation.truth import ObjectClass, TrueObject
from deepconsensus_plugin.core.types import Ctf, FloatArray


def form_image(
    specimen: Specimen,
    ctf: Ctf,
    *,
    b_factor_A2: float,
    energy_filter: bool,
) -> FloatArray:
    """Return the intensity in the image plane.

    Parameters
    ----------
    specimen : Specimen
        Specimen that the wave passes.
    ctf : Ctf
        CTF of the lens.
    b_factor_A2 : float
        B factor of the envelope of the scattered wave.
    energy_filter : bool
        Whether electrons that lost energy are taken out; otherwise they are a
        background that carries no phase contrast.

    Returns
    -------
    array of the canvas' shape, float32
        Electrons per incident electron.
    """
    sigma = interaction_constant(ctf.voltage_kV)
    q = ctf.amplitude_contrast
    phase = (specimen.particles + specimen.grain) * np.float32(sigma)
    damping = np.exp(-q * phase - (specimen.scattered + specimen.slowed) / 2)
    phase *= np.float32(np.sqrt(1 - q**2))
    phase += specimen.bulk * np.float32(sigma)
    wave = np.empty(phase.shape, np.complex64)
    np.multiply(damping, np.cos(phase), out=wave.real)
    np.multiply(damping, np.sin(phase), out=wave.imag)
    spectrum = scipy.fft.fft2(wave, overwrite_x=True)
    spectrum *= lens_transfer(specimen.field, ctf, b_factor_A2)
    wave = scipy.fft.ifft2(spectrum, overwrite_x=True)
    intensity = np.square(wave.real) + np.square(wave.imag)
    if not energy_filter:
        intensity += np.exp(-specimen.scattered) * (1 - np.exp(-specimen.slowed))
    return np.asarray(intensity)


def lens_transfer(
    field: Field,
    ctf: Ctf,
    b_factor_A2: float,
    *,
    half: bool = False,
) -> NDArray[np.complex64]:
    """Return what the lens makes of each wave, ``exp(i (χ + φ) - B s² / 4)``.

    On the transform of the canvas; the phase plate's φ applies to all but the
    unscattered wave.
    """
    sy, sx = field.frequencies(half=half)
    chi = aberration_phase(ctf, sy, sx) + np.float32(np.deg2rad(ctf.phase_shift_deg))
    chi[0, 0] = 0.0
    transfer = np.empty(chi.shape, np.complex64)
    np.cos(chi, out=transfer.real)
    np.sin(chi, out=transfer.imag)
    transfer *= np.exp(-b_factor_A2 / 4 * sy**2)
    transfer *= np.exp(-b_factor_A2 / 4 * sx**2)
    return transfer


def particle_signal(
    specimen: Specimen, ctf: Ctf, parameters: SimulationParameters
) -> FloatArray:
    """Return the particles' part of the counts, as a part of the mean count.

    The weak phase approximation, after the detector's signal transfer.

    Returns
    -------
    array, shape of the micrograph, float32
    """
    field, b_factor = specimen.field, parameters.optics.b_factor_A2
    spectrum = scipy.fft.rfft2(specimen.particles)
    transfer = lens_transfer(field, ctf, b_factor, half=True)
    cosine, sine = np.sqrt(1 - ctf.amplitude_contrast**2), ctf.amplitude_contrast
    contrast = np.float32(cosine) * transfer.imag + np.float32(sine) * transfer.real
    contrast *= np.float32(-2 * interaction_constant(ctf.voltage_kV))
    fall_off = signal_fall_off(parameters.exposure, field.sampling_rate)
    for factor in gaussian_transfer(field.canvas, fall_off, field.sampling_rate):
        contrast *= factor
    return field.crop(scipy.fft.irfft2(spectrum * contrast, s=field.canvas))


def signal_variance(
    signal: FloatArray, objects: Iterable[TrueObject], radius_px: float
) -> float:
    """Return the variance of the signal within discs around whole, lone particles.

    Particles that overlap serve where there are no others; 0 where there is none.
    """
    all_objects = list(objects)
    for wanted in (ObjectClass.GOOD, ObjectClass.OVERLAPPING):
        inside = np.zeros(signal.shape, bool)
        reach = int(np.ceil(radius_px))
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        disc = np.argwhere(np.hypot(y, x) <= radius_px) - reach
        for each in all_objects:
            if each.object_class is wanted:
                rows, columns = (disc + np.rint([each.y, each.x]).astype(int)).T
                rows = np.clip(rows, 0, signal.shape[0] - 1)
                inside[rows, np.clip(columns, 0, signal.shape[1] - 1)] = True
        if inside.any():
            return float(signal[inside].var())
    return 0.0


def grain_variance(
    spectrum: FloatArray, s: FloatArray, ctf: Ctf, parameters: SimulationParameters
) -> float:
    """Return the variance that grain of a radial spectrum gives, over the mean squared.

    Parameters
    ----------
    spectrum, s : array, shape (n,)
        Power per area, (V·Å)² Å², at evenly spaced spatial frequencies, 1/Å.
    ctf : Ctf
        Its mean defocus is used.
    parameters : SimulationParameters
        For the envelope, the detector and the limit of the pixels.
    """
    shift = np.deg2rad(ctf.phase_shift_deg) + np.arcsin(ctf.amplitude_contrast)
    round_s = np.broadcast_to(s, (8, len(s)))  # eight directions, for astigmatism
    angle = np.arange(8)[:, None] * np.pi / 8
    chi = aberration_phase(ctf, round_s * np.sin(angle), round_s * np.cos(angle))
    contrast = (2 * interaction_constant(ctf.voltage_kV) * np.sin(chi + shift)) ** 2
    fall_off = signal_fall_off(parameters.exposure, parameters.sampling_rate)
    damping = np.exp(-2 * (parameters.optics.b_factor_A2 / 4 + fall_off) * s**2)
    inside = s < 0.5 / parameters.sampling_rate
    power = spectrum * contrast.mean(axis=0) * damping * inside
    return float(np.sum(2 * np.pi * s * power) * (s[1] - s[0]))


def counting_noise(
    exposure: Exposure,
    sampling_rate: float,
    transmission: float,
) -> float:
    """Return the variance of counts over their mean squared, for 1 e/Å²."""
    n = 256
    spread = gaussian_transfer(
        (n, n), noise_fall_off(exposure, sampling_rate), sampling_rate
    )
    passed = float(np.mean(spread[0] ** 2)) ** 2
    electrons = sampling_rate**2 * RESPONSES[exposure.detector].dqe_zero * transmission
    return passed / electrons


def dose_for(
    snr: float,
    *,
    signal: float,
    grain: float,
    counting: float,
) -> float:
    """Return the electrons per Å² at which the particles have a ratio `snr`.

    Parameters
    ----------
    snr : float
        Variance of the signal over that of the noise, within the particles.
    signal, grain : float
        `signal_variance` and `grain_variance`.
    counting : float
        `counting_noise`.

    Raises
    ------
    ValueError
        If the grain alone is more noise than that, or there is no signal.
    """
    left = signal / snr - grain
    if not left > 0:
        most = signal / grain if grain else 0.0
        raise ValueError(
            f"snr: expected less than {most:.3g}, which the grain of the ice leaves at "
            f"any dose, received {snr:g}; choose thinner ice or less interface protein"
        )
    return counting / left

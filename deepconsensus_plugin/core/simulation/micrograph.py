# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulation of one micrograph from its number (`simulate_micrograph`)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.simulation.detector import record
from deepconsensus_plugin.core.simulation.exposure import (
    counting_noise,
    dose_for,
    form_image,
    grain_variance,
    particle_signal,
    signal_variance,
)
from deepconsensus_plugin.core.simulation.library import Library, load_library
from deepconsensus_plugin.core.simulation.parameters import Optics, SimulationParameters
from deepconsensus_plugin.core.simulation.scene import Scene, build_scene
from deepconsensus_plugin.core.simulation.specimen import Field
from deepconsensus_plugin.core.simulation.truth import TrueObject
from deepconsensus_plugin.core.types import Ctf, FloatArray


@dataclass(frozen=True, eq=False)
class SimulatedMicrograph:
    """A micrograph whose truth is known.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Electrons per pixel; protein is dark.
    objects : tuple of TrueObject
        All that has its centre within it.
    ctf : Ctf
        That it was made with.
    dose_e_per_A2 : float
        Incident electrons per Å².
    snr : float
        Variance of the particles' signal over that of the noise, within the particles;
        NaN where there is none.
    ice_thickness_A : float
        Mean.
    has_carbon : bool
        Whether it shows the film around the hole.
    contamination : array, shape (rows, columns), uint8
        Code of `AreaKind` of each pixel: what contaminant lies there.
    """

    image: FloatArray
    ctf: Ctf
    dose_e_per_A2: float
    snr: float
    ice_thickness_A: float
    has_carbon: bool
    contamination: NDArray[np.uint8]
    objects: tuple[TrueObject, ...] = field(default=())


def simulate_micrograph(
    parameters: SimulationParameters, index: int
) -> SimulatedMicrograph:
    """Return micrograph number `index` of a set.

    It depends on the parameters, their seed and its number alone, so micrographs may be
    made in any order and by any number of workers.

    Parameters
    ----------
    parameters : SimulationParameters
        Parameters of the simulation.
    index : int
        From 0.

    Raises
    ------
    FileNotFoundError, FileFormatError
        If a structure's file is not there or is none.
    ValueError
        If a structure is too large for the resolution, or the SNR cannot be reached.
    """
    rng = np.random.default_rng(np.random.SeedSequence([parameters.seed, index]))
    library = load_library(parameters)
    ctf = draw_ctf(parameters.optics, rng)
    scene = build_scene(parameters, library, rng)
    exposure = parameters.exposure
    intensity = form_image(
        scene.specimen,
        ctf,
        b_factor_A2=parameters.optics.b_factor_A2,
        energy_filter=exposure.energy_filter,
    )
    dose, snr = _dose_and_snr(parameters, library, ctf, scene)
    area = scene.specimen.field
    intensity *= _illumination(area, exposure.illumination_gradient, rng)
    image = record(intensity, exposure, dose, area, rng)
    return SimulatedMicrograph(
        image,
        ctf,
        dose,
        snr,
        scene.thickness,
        scene.has_carbon,
        area.crop(scene.specimen.contamination),
        scene.objects,
    )


def draw_ctf(optics: Optics, rng: np.random.Generator) -> Ctf:
    """Return the CTF of one micrograph."""
    mean = rng.uniform(*optics.defocus_A)
    half = rng.uniform(0, optics.astigmatism_A) / 2
    return Ctf(
        defocus_u_A=float(mean + half),
        defocus_v_A=float(mean - half),
        defocus_angle_deg=float(rng.uniform(0, 180)),
        voltage_kV=optics.voltage_kV,
        spherical_aberration_mm=optics.spherical_aberration_mm,
        amplitude_contrast=optics.amplitude_contrast,
        phase_shift_deg=float(rng.uniform(*optics.phase_shift_deg)),
    )


def _dose_and_snr(
    parameters: SimulationParameters, library: Library, ctf: Ctf, scene: Scene
) -> tuple[float, float]:
    """Return the dose, given or as the SNR asks for, and the SNR."""
    exposure, rate = parameters.exposure, parameters.sampling_rate
    widest = max(species.width_A for species in library.wanted)
    signal = signal_variance(
        particle_signal(scene.specimen, ctf, parameters),
        scene.objects,
        widest / 2 / rate,
    )
    grain = grain_variance(scene.grain, scene.s, ctf, parameters)
    # Electrons that are lost, or come without phase contrast.
    lost = float(np.mean(scene.specimen.scattered))
    slowed = float(np.mean(scene.specimen.slowed))
    transmission = np.exp(-lost - (slowed if exposure.energy_filter else 0.0))
    if not exposure.energy_filter:
        signal, grain = signal * np.exp(-2 * slowed), grain * np.exp(-2 * slowed)
    counting = counting_noise(exposure, rate, transmission)
    dose = exposure.dose_e_per_A2
    if exposure.snr is not None and signal > 0:
        dose = dose_for(exposure.snr, signal=signal, grain=grain, counting=counting)
    snr = signal / (grain + counting / dose) if signal > 0 else float("nan")
    return dose, float(snr)


def _illumination(area: Field, gradient: float, rng: np.random.Generator) -> FloatArray:
    """Return how bright the beam is on the canvas, 1 in the middle of the image."""
    y, x = area.axes()
    direction = rng.uniform(0, 2 * np.pi)
    v, u = (y - area.shape[0] / 2) / area.shape[0], (x - area.shape[1] / 2)
    slope = np.sin(direction) * v + np.cos(direction) * u / area.shape[1]
    return np.asarray(1 + gradient * slope, dtype=np.float32)

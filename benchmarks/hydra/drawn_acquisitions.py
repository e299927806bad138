# SPDX-License-Identifier: GPL-3.0-or-later
"""Acquisitions drawn at random: any microscope, ice and dirt, each from a seed.

Ranges are those of published acquisitions (docs/simulation.md); there is more dirt than
usual, so that a picker learns what no particle is.
"""

from __future__ import annotations

import numpy as np

from benchmarks.hydra.acquisitions import ACQUISITIONS, Acquisition
from deepconsensus_plugin.core.io.pixel_types import PixelType
from deepconsensus_plugin.core.simulation import (
    Assembly,
    Contamination,
    Detector,
    Exposure,
    Ice,
    Optics,
    Structure,
)

_PHASE_PLATES = 0.08
_DENOISED = 0.15
_CLEAN = 0.25
_SECOND_PROTEIN = 0.3
_MICROSCOPES = ((300.0, 2.7), (300.0, 2.7), (300.0, 0.01), (200.0, 2.0), (120.0, 6.3))
"""Voltage, kV, and spherical aberration, mm."""


_PREFIX = "drawn-"


def find_acquisition(name: str) -> Acquisition:
    """Return an acquisition by its name: one of `ACQUISITIONS`, or ``drawn-SEED``."""
    if name.startswith(_PREFIX):
        return draw_acquisition(int(name.removeprefix(_PREFIX)))
    return ACQUISITIONS[name]


def draw_acquisition(seed: int) -> Acquisition:
    """Return the acquisition of a seed."""
    rng = np.random.default_rng([seed, 7])
    if rng.random() < _DENOISED:
        # Low-passed or denoised before anyone picks.
        dose = log_uniform(80, 400, rng)
        exposure = Exposure(dose_e_per_A2=dose, detector=Detector.PERFECT)
        pixel_type, b_factor = PixelType.INT8, log_uniform(500, 1500, rng)
        protein = rng.uniform(0, 9)
    else:
        exposure = _draw_exposure(rng)
        pixel_type, b_factor = PixelType.INT16, log_uniform(60, 250, rng)
        protein = rng.uniform(0, 1)
    return Acquisition(
        _draw_optics(b_factor, rng),
        exposure,
        _draw_ice(protein, rng),
        _draw_contamination(seed, rng),
        pixel_type,
    )


def _draw_optics(b_factor_A2: float, rng: np.random.Generator) -> Optics:
    voltage, aberration = _MICROSCOPES[int(rng.integers(len(_MICROSCOPES)))]
    has_plate = rng.random() < _PHASE_PLATES
    defocus = log_uniform(5_000, 8_000, rng) if has_plate else _defocus(rng)
    return Optics(
        voltage_kV=voltage,
        spherical_aberration_mm=aberration,
        amplitude_contrast=rng.uniform(0.05, 0.12),
        defocus_A=(0.7 * defocus, 1.4 * defocus),
        phase_shift_deg=(60.0, 110.0) if has_plate else (0.0, 0.0),
        b_factor_A2=b_factor_A2,
    )


def _defocus(rng: np.random.Generator) -> float:
    return log_uniform(9_000, 30_000, rng)


def _draw_exposure(rng: np.random.Generator) -> Exposure:
    is_counting = rng.random() < 0.7
    return Exposure(
        dose_e_per_A2=log_uniform(12, 60, rng),
        detector=Detector.COUNTING if is_counting else Detector.INTEGRATING,
        energy_filter=bool(rng.random() < 0.5),
        illumination_gradient=rng.uniform(0, 0.15),
    )


def _draw_ice(protein_mg_per_m2: float, rng: np.random.Generator) -> Ice:
    thickness = log_uniform(250, 700, rng)
    return Ice(
        thickness_A=(0.8 * thickness, 1.3 * thickness),
        gradient=rng.uniform(0, 0.5),
        roughness=rng.uniform(0.02, 0.06),
        interface_protein_mg_per_m2=protein_mg_per_m2,
    )


def _draw_contamination(seed: int, rng: np.random.Generator) -> Contamination:
    if rng.random() < _CLEAN:
        return Contamination(None, carbon_probability=0.0, ice_crystals=0.3)
    other = None
    if rng.random() < _SECOND_PROTEIN:
        axes = tuple(rng.uniform(24, 42, 3).tolist())
        other = Structure(assembly=Assembly(20_000 + seed, axes, "C1", 2))
    return Contamination(
        other,
        rng.uniform(0.05, 0.4),
        carbon_probability=rng.uniform(0, 0.7),
        film_variety=0.7,
        ice_crystals=rng.uniform(0, 5),
        ice_variety=0.5,
        ethane_blobs=rng.uniform(0, 2),
        gold_beads=rng.uniform(0, 2),
        precipitates=rng.uniform(0, 0.8),
        cracks=rng.uniform(0, 0.2),
        vesicles=max(rng.uniform(-1.5, 1.5), 0.0),
    )


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """Draw a number whose logarithm is uniform between those of the limits."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes with contamination that the network of contaminants learns from.

Every scene is drawn from its number: molecule, crowd, ice, microscope, exposure and
what lies in the way. Molecules of scenes to test on are not among those to train on.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np

from benchmarks.hydra.samples import HELD_OUT_PHANTOMS
from deepconsensus_plugin.core.simulation import (
    Assembly,
    Contamination,
    Crowd,
    Detector,
    Exposure,
    Ice,
    Optics,
    Phantom,
    SimulationParameters,
    Structure,
)

PIXEL_SIZES_A = (7.5, 11.0)
"""Range of pixel sizes on which the network works, Å."""

SCENES_PER_MOLECULE = 3

_SIDE = 432
_FINE_PIXEL_SIZES_A = (2.0, 4.0)
_FINE_SIDE = 1280
_MOST_PARTICLES = 300
_GROUPS = ("C1", "C1", "C2", "C4", "D2", "D5", "I", "T")
_TRAIN_PHANTOMS = tuple(each for each in Phantom if each not in HELD_OUT_PHANTOMS)


class Split(Enum):
    """Use of a scene."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def draw_scene(split: Split, number: int) -> SimulationParameters:
    """Return scene `number` of a split; scenes to test on have pixels of 2 to 4 Å.

    Scenes that follow each other share a molecule, whose preparation takes longest.
    """
    first = [*Split].index(split) * 1_000_000
    seed = first + number // SCENES_PER_MOLECULE
    rng = np.random.default_rng([seed, 22])
    is_fine = split is Split.TEST
    side = _FINE_SIDE if is_fine else _SIDE
    rate = _log_uniform(rng, *(_FINE_PIXEL_SIZES_A if is_fine else PIXEL_SIZES_A))
    structure, diameter_A = _molecule(split, seed, rng)
    # Drawn apart, so that scenes to test on are those of before.
    has_aggregates = np.random.default_rng([first + number, 24]).random() < 0.35
    rng = np.random.default_rng([first + number, 23])
    return SimulationParameters(
        shape=(side, side),
        sampling_rate=round(rate, 2),
        structures=(structure,),
        resolution_A=10.0,
        optics=_optics(rng),
        exposure=_exposure(rate, rng),
        ice=Ice(
            _same(_log_uniform(rng, 200, 800)),
            gradient=rng.uniform(0, 0.5),
            roughness=_log_uniform(rng, 0.01, 0.08),
            interface_protein_mg_per_m2=_log_uniform(rng, 0.05, 8),
        ),
        crowd=_crowd(
            side * rate, diameter_A, rng, 1.5 * (has_aggregates and not is_fine)
        ),
        contamination=_contamination(seed, rng),
        seed=seed,
    )


def _molecule(
    split: Split, seed: int, rng: np.random.Generator
) -> tuple[Structure, float]:
    """Return a molecule and about its diameter, Å."""
    is_train = split is Split.TRAIN
    if rng.random() < 0.25:
        phantoms = _TRAIN_PHANTOMS if is_train else HELD_OUT_PHANTOMS
        return Structure(phantoms[int(rng.integers(len(phantoms)))]), 150.0
    size = _log_uniform(rng, 35, 240)
    group = _GROUPS[int(rng.integers(len(_GROUPS)))]
    narrow, flat = rng.uniform(0.3, 1.0, 2)
    if group in ("I", "T"):
        narrow = flat = 1.0
    wide = narrow if group in ("C1", "C2", "D2") else 1.0
    assembly = Assembly(
        100_000 + seed,
        (size, size * wide, size * flat),
        group,
        int(rng.integers(1, 7)),
        hollow=rng.uniform(0, 0.7) if group in ("I", "T", "D5", "C4") else 0.0,
        nucleic_fraction=rng.uniform(0, 0.4),
    )
    return Structure(assembly=assembly), 2 * size * (wide * flat) ** (1 / 3)


def _crowd(
    extent_A: float, diameter_A: float, rng: np.random.Generator, aggregates: float
) -> Crowd:
    """Return particles that are packed, many, few or none."""
    draws: tuple[Callable[[], float], ...] = (
        lambda: 0.55,
        lambda: 0.45,
        lambda: rng.uniform(0.1, 0.4),
        lambda: rng.uniform(0.1, 0.4),
        lambda: rng.uniform(0.01, 0.1),
        lambda: 0.0,
    )
    which = int(rng.integers(len(draws)))
    n_particles = draws[which]() * extent_A**2 / (np.pi / 4 * diameter_A**2)
    return Crowd(
        round(min(n_particles, _MOST_PARTICLES)),
        spacing=0.92 if which < 2 else 1.1,
        overlapping_fraction=0.12,
        broken_fraction=0.0,
        aggregates=aggregates,
    )


def _contamination(seed: int, rng: np.random.Generator) -> Contamination:
    second = Structure(assembly=Assembly(500_000 + seed, (40, 32, 28), "C1", 2))
    per_particle = 0.2 if rng.random() < 0.2 else 0.0
    if rng.random() < 0.3:
        return Contamination(second, per_particle, 0.0, 0.0, 0.0, 0.0)
    return Contamination(
        second,
        per_particle,
        carbon_probability=0.45,
        ice_crystals=rng.uniform(0, 3),
        ethane_blobs=rng.uniform(0, 1.2),
        gold_beads=rng.uniform(0, 1.2),
        film_variety=0.6,
        ice_variety=0.7,
        precipitates=rng.uniform(0, 0.9),
        cracks=rng.uniform(0, 0.6),
    )


def _optics(rng: np.random.Generator) -> Optics:
    if rng.random() < 0.1:
        return Optics(
            defocus_A=_same(rng.uniform(4000, 9000)),
            phase_shift_deg=_same(rng.uniform(60, 110)),
        )
    voltage, aberration = (200.0, 2.0) if rng.random() < 0.3 else (300.0, 2.7)
    return Optics(
        voltage_kV=voltage,
        spherical_aberration_mm=aberration,
        defocus_A=_same(_log_uniform(rng, 6000, 40_000)),
        b_factor_A2=100.0,
    )


def _exposure(rate: float, rng: np.random.Generator) -> Exposure:
    gradient = rng.uniform(0, 0.15)
    if rng.random() < 0.15:  # denoised before anyone picks
        return Exposure(
            400.0, detector=Detector.PERFECT, illumination_gradient=gradient
        )
    detectors = Detector.COUNTING, Detector.COUNTING, Detector.INTEGRATING
    return Exposure(
        _log_uniform(rng, 6, 80),
        detector=detectors[int(rng.integers(3))],
        binning=max(1, round(rate / 1.05)),
        energy_filter=bool(rng.random() < 0.5),
        illumination_gradient=gradient,
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _same(value: float) -> tuple[float, float]:
    return float(value), float(value)

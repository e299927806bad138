# SPDX-License-Identifier: GPL-3.0-or-later
"""Contaminants that mislead pickers: carbon, ice crystals, ethane and gold beads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from deepconsensus_plugin.core.simulation.ice import carbon_grain, draw_grain
from deepconsensus_plugin.core.simulation.sample import Contamination
from deepconsensus_plugin.core.simulation.scattering import (
    CARBON_POTENTIAL,
    ETHANE_POTENTIAL,
    GOLD_POTENTIAL,
    ICE_POTENTIAL,
    Medium,
)
from deepconsensus_plugin.core.simulation.specimen import Field, Specimen
from deepconsensus_plugin.core.types import BoolArray, FloatArray

_HOLE_RADIUS = 6000.0
_EDGE_ROUGHNESS = 40.0
_CARBON_THICKNESS = (120.0, 200.0)

Profile = Callable[[float, float, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class Contaminant:
    """One contaminant: `kind` is its name; centre in pixels, radius in Å."""

    kind: str
    y: float
    x: float
    radius_A: float


def add_carbon(specimen: Specimen, rng: np.random.Generator) -> BoolArray:
    """Add the film around a hole of 1.2 µm; return where it is on the canvas.

    The edge crosses the micrograph, somewhere between its middle and its border.
    """
    field = specimen.field
    rate = field.sampling_rate
    y, x = field.axes()
    direction = rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0.15, 0.45) * min(field.shape) * rate - _HOLE_RADIUS
    cy = (y - field.shape[0] / 2) * rate - reach * np.sin(direction)
    cx = (x - field.shape[1] / 2) * rate - reach * np.cos(direction)
    edge = _HOLE_RADIUS + _ragged(np.arctan2(cy, cx), rng)
    within = np.clip((np.hypot(cy, cx) - edge) / 30, 0, 1).astype(np.float32)
    thickness = rng.uniform(*_CARBON_THICKNESS)
    specimen.add_matter(within * np.float32(thickness), Medium.CARBON, CARBON_POTENTIAL)
    s = np.linspace(0, 1 / rate, 512)
    grain = draw_grain(carbon_grain(s, thickness), s, field, rng)
    specimen.grain += grain * within
    return np.asarray(within > 0)


def _ragged(angle: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return how far an edge departs from the circle, Å: rough at every scale."""
    waves = np.arange(1, 2000)
    strength = rng.normal(size=(2, len(waves))) / waves**1.5
    strength *= _EDGE_ROUGHNESS / np.sqrt((strength[:, 5:] ** 2).sum() / 2)
    spectrum = np.concatenate([[0], strength[0] + 1j * strength[1]])
    spectrum[:6] = 0  # as round as a hole otherwise
    profile = np.fft.irfft(spectrum, n=8192) * 4096
    around = np.linspace(-np.pi, np.pi, 8193)
    return np.interp(angle, around, np.append(profile, profile[0]))


def add_contaminants(
    specimen: Specimen, contamination: Contamination, rng: np.random.Generator
) -> list[Contaminant]:
    """Add contaminants; return them, including those that only reach into the frame."""
    pieces: list[Contaminant] = []
    for kind, mean, radii, medium, potential, profile in (
        (
            "ice crystal",
            contamination.ice_crystals,
            (100.0, 700.0),
            Medium.CRYSTAL,
            ICE_POTENTIAL,
            _crystal,
        ),
        (
            "ethane",
            contamination.ethane_blobs,
            (80.0, 400.0),
            Medium.ETHANE,
            ETHANE_POTENTIAL,
            _cap,
        ),
        (
            "gold bead",
            contamination.gold_beads,
            (25.0, 75.0),
            Medium.GOLD,
            GOLD_POTENTIAL,
            _ball,
        ),
    ):
        for _ in range(rng.poisson(mean)):
            radius = float(np.exp(rng.uniform(*np.log(radii))))
            y, x = _draw_position(specimen.field, radius, rng)
            thickness = profile(radius, specimen.field.sampling_rate, rng)
            specimen.add_matter(thickness, medium, potential, (round(y), round(x)))
            pieces.append(Contaminant(kind, round(y), round(x), radius))
    return pieces


def _draw_position(
    field: Field,
    radius_A: float,
    rng: np.random.Generator,
) -> tuple[float, float]:
    beyond = min(radius_A / field.sampling_rate, field.margin) * 0.7
    y, x = rng.uniform(-beyond, np.array(field.shape) + beyond)
    return float(y), float(x)


def _patch_axes(radius_A: float, rate: float) -> tuple[FloatArray, FloatArray]:
    """Return rows (n, 1) and columns (1, n) of a patch that holds a disc, Å."""
    reach = int(np.ceil(1.2 * radius_A / rate)) + 3
    axis = np.arange(-reach, reach + 1) * rate
    return axis[:, None], axis[None, :]


def _crystal(radius_A: float, rate: float, rng: np.random.Generator) -> FloatArray:
    """Return the thickness of a lump of crystalline ice: faceted, intergrown grains."""
    y, x = _patch_axes(radius_A, rate)
    height = rng.uniform(0.5, 1.0) * min(radius_A, 500.0)
    thickness = np.zeros(np.broadcast_shapes(y.shape, x.shape))
    for _ in range(int(rng.integers(1, 5))):
        size = radius_A * rng.uniform(0.5, 0.8)
        away, towards = radius_A - size, rng.uniform(0, 2 * np.pi)
        dy, dx = y - away * np.sin(towards), x - away * np.cos(towards)
        inward = np.full(thickness.shape, size)
        angles = np.linspace(0, 2 * np.pi, int(rng.integers(5, 9)), endpoint=False)
        for angle in angles + rng.uniform(-0.3, 0.3, len(angles)):
            facet = size * rng.uniform(0.75, 1.0)
            inward = np.minimum(inward, facet - dy * np.sin(angle) - dx * np.cos(angle))
        # Bevelled facets that end in a plateau.
        grain = rng.uniform(0.6, 1.0) * height * np.clip(inward / 60, 0, 1)
        thickness = np.maximum(thickness, grain)
    blur = max(10.0 / rate, 1.0)
    mottled = scipy.ndimage.gaussian_filter(rng.normal(size=thickness.shape), 4 * blur)
    mottled *= 0.15 / max(float(mottled.std()), 1e-6)
    thickness = scipy.ndimage.gaussian_filter(thickness, blur)
    return np.asarray(thickness * np.clip(1 + mottled, 0.3, 2), dtype=np.float32)


def _cap(
    radius_A: float,
    rate: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the thickness of a drop of ethane on the surface: a smooth cap."""
    radius = np.hypot(*_patch_axes(radius_A, rate))
    height = rng.uniform(0.5, 1.0) * radius_A
    return (height * np.clip(1 - (radius / radius_A) ** 2, 0, 1)).astype(np.float32)


def _ball(
    radius_A: float,
    rate: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the thickness of a bead."""
    radius = np.hypot(*_patch_axes(radius_A, rate))
    return (2 * np.sqrt(np.clip(radius_A**2 - radius**2, 0, None))).astype(np.float32)

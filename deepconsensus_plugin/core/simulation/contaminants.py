# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces of contamination that mislead pickers: ice crystals, ethane and gold beads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from deepconsensus_plugin.core.simulation.ice_shapes import VARIED_CRYSTALS
from deepconsensus_plugin.core.simulation.patches import patch_axes
from deepconsensus_plugin.core.simulation.sample import Contamination
from deepconsensus_plugin.core.simulation.scattering import (
    ETHANE_POTENTIAL,
    GOLD_POTENTIAL,
    ICE_POTENTIAL,
    Medium,
)
from deepconsensus_plugin.core.simulation.specimen import Field, Specimen
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

Profile = Callable[[float, float, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class Contaminant:
    """One contaminant: `kind` is its name; centre in pixels, radius in Å."""

    kind: str
    y: float
    x: float
    radius_A: float


@dataclass(frozen=True, eq=False)
class _Recipe:
    """Kind of contamination, and how its pieces are drawn."""

    kind: str
    mean: float
    radii_A: tuple[float, float]
    medium: Medium
    potential: float
    profile: Profile
    area_kind: AreaKind


def add_contaminants(
    specimen: Specimen, contamination: Contamination, rng: np.random.Generator
) -> list[Contaminant]:
    """Add contaminants; return them, including those that only reach into the frame."""
    pieces: list[Contaminant] = []
    rate = specimen.field.sampling_rate
    for recipe in _recipes(contamination):
        for _ in range(rng.poisson(recipe.mean)):
            radius = float(np.exp(rng.uniform(*np.log(recipe.radii_A))))
            y, x = draw_position(specimen.field, radius, rng)
            at = round(y), round(x)
            variety = contamination.ice_variety
            if recipe.medium is Medium.CRYSTAL and variety and rng.random() < variety:
                shape = VARIED_CRYSTALS[int(rng.integers(len(VARIED_CRYSTALS)))]
                thickness, radius = shape(rate, rng)
            else:
                thickness = recipe.profile(radius, rate, rng)
            specimen.add_matter(
                thickness, recipe.medium, recipe.potential, at, recipe.area_kind
            )
            pieces.append(Contaminant(recipe.kind, *at, radius))
    return pieces


def _recipes(contamination: Contamination) -> tuple[_Recipe, ...]:
    return (
        _Recipe(
            "ice crystal",
            contamination.ice_crystals,
            (100.0, 700.0),
            Medium.CRYSTAL,
            ICE_POTENTIAL,
            _crystal,
            AreaKind.ICE,
        ),
        _Recipe(
            "ethane",
            contamination.ethane_blobs,
            (80.0, 400.0),
            Medium.ETHANE,
            ETHANE_POTENTIAL,
            _cap,
            AreaKind.CONTAMINATION,
        ),
        _Recipe(
            "gold bead",
            contamination.gold_beads,
            (25.0, 75.0),
            Medium.GOLD,
            GOLD_POTENTIAL,
            _ball,
            AreaKind.CONTAMINATION,
        ),
    )


def draw_position(
    field: Field,
    radius_A: float,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return a centre from which a piece can reach into the frame, pixels."""
    beyond = min(radius_A / field.sampling_rate, field.margin) * 0.7
    y, x = rng.uniform(-beyond, np.array(field.shape) + beyond)
    return float(y), float(x)


def _crystal(radius_A: float, rate: float, rng: np.random.Generator) -> FloatArray:
    """Return the thickness of a lump of crystalline ice: faceted, intergrown grains."""
    y, x = patch_axes(radius_A, rate)
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
    radius = np.hypot(*patch_axes(radius_A, rate))
    height = rng.uniform(0.5, 1.0) * radius_A
    return (height * np.clip(1 - (radius / radius_A) ** 2, 0, 1)).astype(np.float32)


def _ball(
    radius_A: float,
    rate: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the thickness of a bead."""
    radius = np.hypot(*patch_axes(radius_A, rate))
    return (2 * np.sqrt(np.clip(radius_A**2 - radius**2, 0, None))).astype(np.float32)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Support films of more kinds: other holes and thicknesses, lacey films, gold foils."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.simulation.ice import carbon_grain, draw_grain
from deepconsensus_plugin.core.simulation.scattering import (
    CARBON_POTENTIAL,
    GOLD_POTENTIAL,
    Medium,
)
from deepconsensus_plugin.core.simulation.specimen import Field, Specimen
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_GOLD_SHARE = 0.15
_BARE_SHARE = 0.5


def add_varied_film(specimen: Specimen, rng: np.random.Generator) -> BoolArray | None:
    """Add a film; return where molecules keep off it, None if they lie on it too."""
    field = specimen.field
    draw = (_one_hole, _one_hole, _lacey, _strand)[int(rng.integers(4))]
    inward = draw(field, rng) + rng.uniform(10, 120) * _roughness(field, rng)
    within = np.clip(inward / rng.uniform(15, 150), 0, 1).astype(np.float32)
    # Uneven, and often thicker along its edge.
    relief = 1 + rng.uniform(0, 0.15) * _roughness(field, rng)
    rim = np.exp(-np.clip(inward, 0, None) / rng.uniform(60, 300))
    relief += max(rng.uniform(-1, 1.5), 0) * rim
    within *= np.clip(relief, 0.3, 3).astype(np.float32)
    if rng.random() < _GOLD_SHARE:
        thickness = rng.uniform(150, 500)
        medium, potential = Medium.GOLD, GOLD_POTENTIAL
    else:
        thickness = float(np.exp(rng.uniform(np.log(40), np.log(300))))
        medium, potential = Medium.CARBON, CARBON_POTENTIAL
    specimen.add_matter(
        within * np.float32(thickness), medium, potential, kind=AreaKind.CARBON
    )
    s = np.linspace(0, 1 / field.sampling_rate, 512)
    specimen.grain += draw_grain(carbon_grain(s, thickness), s, field, rng) * within
    return np.asarray(within > 0) if rng.random() < _BARE_SHARE else None


def _roughness(field: Field, rng: np.random.Generator) -> FloatArray:
    """Return a random field that is rough at every scale, of standard deviation 1."""
    s = np.linspace(0, 1 / field.sampling_rate, 512)
    spectrum = (s**2 + 1 / rng.uniform(300, 1500) ** 2) ** -1.75
    rough = draw_grain(spectrum, s, field, rng)
    return np.asarray(rough / max(float(rough.std()), 1e-12))


def _positions(field: Field) -> tuple[FloatArray, FloatArray, float]:
    """Return rows and columns from the middle, Å, and half the shorter side, Å."""
    y, x = field.axes()
    rate = field.sampling_rate
    half = min(field.shape) * rate / 2
    return (y - field.shape[0] / 2) * rate, (x - field.shape[1] / 2) * rate, half


def _one_hole(field: Field, rng: np.random.Generator) -> FloatArray:
    """Return the distance into a film with one round hole, Å; negative in the hole."""
    y, x, half = _positions(field)
    radius = float(np.exp(rng.uniform(np.log(3000), np.log(12_000))))
    direction, reach = rng.uniform(0, 2 * np.pi), rng.uniform(-0.9, 0.9) * half - radius
    dy, dx = y - reach * np.sin(direction), x - reach * np.cos(direction)
    return np.asarray(np.hypot(dy, dx) - radius)


def _lacey(field: Field, rng: np.random.Generator) -> FloatArray:
    """Return the distance into what holes of many sizes leave of a film, Å."""
    y, x, half = _positions(field)
    inward = np.full(np.broadcast_shapes(y.shape, x.shape), np.inf)
    for _ in range(int(rng.integers(2, 8))):
        radius = half * rng.uniform(0.3, 1.2)
        direction = rng.uniform(0, 2 * np.pi)
        away = radius * rng.uniform(0.3, 1.4)
        angle, narrow = rng.uniform(0, np.pi), rng.uniform(0.6, 1.0)
        dy, dx = y - away * np.sin(direction), x - away * np.cos(direction)
        v = (dy * np.cos(angle) - dx * np.sin(angle)) / narrow
        u = dy * np.sin(angle) + dx * np.cos(angle)
        inward = np.minimum(inward, np.hypot(v, u) - radius)
    return inward


def _strand(field: Field, rng: np.random.Generator) -> FloatArray:
    """Return the distance into a bent strand of film, Å."""
    y, x, half = _positions(field)
    direction = rng.uniform(0, 2 * np.pi)
    radius = float(np.exp(rng.uniform(np.log(2000), np.log(20_000))))
    reach = rng.uniform(-0.8, 0.8) * half - radius
    dy, dx = y - reach * np.sin(direction), x - reach * np.cos(direction)
    half_width = float(np.exp(rng.uniform(np.log(100), np.log(0.5 * half))))
    return np.asarray(half_width - np.abs(np.hypot(dy, dx) - radius))

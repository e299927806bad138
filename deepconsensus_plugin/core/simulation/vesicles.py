# SPDX-License-Identifier: GPL-3.0-or-later
"""Lipid vesicles: closed membranes of two leaflets, round or a little squashed."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.simulation.contaminants import (
    Contaminant,
    draw_position,
)
from deepconsensus_plugin.core.simulation.patches import patch_axes
from deepconsensus_plugin.core.simulation.scattering import Medium
from deepconsensus_plugin.core.simulation.specimen import Specimen
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_RADII_A = (120.0, 900.0)
_BILAYER_A = 40.0
_HEADS_A = 9.0
"""Thickness of a membrane, and of the head groups on each of its sides."""
_HEADS_POTENTIAL = 2.5
_TAILS_POTENTIAL = -1.0
"""Above that of the ice, V: phosphates are denser than water, hydrocarbons are not."""
_RIM_A = 60.0
"""Head groups along the beam from which a pixel counts as contamination, Å."""


def add_vesicle(specimen: Specimen, rng: np.random.Generator) -> Contaminant:
    """Add a vesicle; return it, with its mean radius."""
    rate = specimen.field.sampling_rate
    radius = float(np.exp(rng.uniform(*np.log(_RADII_A))))
    y, x = (round(value) for value in draw_position(specimen.field, radius, rng))
    outward = _distance(radius, rate, rng)
    depths = (0.0, _HEADS_A, _BILAYER_A - _HEADS_A, _BILAYER_A)
    within = [_chord(radius - depth, outward) for depth in depths]
    tails = within[1] - within[2]
    heads = within[0] - within[3] - tails
    for thickness, potential in ((heads, _HEADS_POTENTIAL), (tails, _TAILS_POTENTIAL)):
        specimen.add_matter(thickness, Medium.ETHANE, potential, (y, x))
    specimen.mark(heads > _RIM_A, AreaKind.CONTAMINATION, (y, x))
    return Contaminant("vesicle", y, x, radius)


def _distance(radius_A: float, rate: float, rng: np.random.Generator) -> FloatArray:
    """Return distances from the centre as the vesicle is squashed, Å."""
    y, x = patch_axes(1.3 * radius_A, rate)
    angle, squash = rng.uniform(0, np.pi), rng.uniform(0.8, 1.0)
    u = (y * np.cos(angle) - x * np.sin(angle)) / squash
    v = (y * np.sin(angle) + x * np.cos(angle)) * squash
    return np.asarray(np.hypot(u, v))


def _chord(radius_A: float, outward: FloatArray) -> FloatArray:
    """Return how long the beam is within a ball, Å, float32."""
    squared = np.clip(radius_A**2 - outward**2, 0, None)
    return np.asarray(2 * np.sqrt(squared), dtype=np.float32)

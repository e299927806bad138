# SPDX-License-Identifier: GPL-3.0-or-later
"""Carbon film around a round hole, with a ragged edge."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.simulation.ice import carbon_grain, draw_grain
from deepconsensus_plugin.core.simulation.scattering import CARBON_POTENTIAL, Medium
from deepconsensus_plugin.core.simulation.specimen import Specimen
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_HOLE_RADIUS = 6000.0
_EDGE_ROUGHNESS = 40.0
_CARBON_THICKNESS = (120.0, 200.0)


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
    specimen.add_matter(
        within * np.float32(thickness),
        Medium.CARBON,
        CARBON_POTENTIAL,
        kind=AreaKind.CARBON,
    )
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

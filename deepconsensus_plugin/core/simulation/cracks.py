# SPDX-License-Identifier: GPL-3.0-or-later
"""Cracks in the ice: jagged lines along which the ice is thin or missing."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.simulation.scattering import ICE_POTENTIAL, Medium
from deepconsensus_plugin.core.simulation.specimen import Field, Specimen
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_HALF_WIDTHS = (20.0, 250.0)


def add_crack(specimen: Specimen, ice_A: FloatArray, rng: np.random.Generator) -> None:
    """Take the ice away along a line through the micrograph.

    Parameters
    ----------
    specimen : Specimen
        Specimen with its ice and grain, and nothing else yet.
    ice_A : array of the canvas' shape
        Thickness of the ice, Å.
    rng : Generator
        Decides.
    """
    field = specimen.field
    along, across = _turned(field, rng)
    half_width = float(np.exp(rng.uniform(*np.log(_HALF_WIDTHS))))
    off_axis = _jagged(along, rng.uniform(0.1, 0.5), rng)
    width = half_width * np.clip(1 + _jagged(along, 0.001, rng), 0.3, 2)
    open_part = np.clip((width - np.abs(across - off_axis)) / 15, 0, 1)
    open_part *= rng.uniform(0.6, 1.0)
    missing = (open_part * ice_A).astype(np.float32)
    specimen.add_matter(
        -missing, Medium.ICE, ICE_POTENTIAL, kind=AreaKind.CONTAMINATION
    )
    specimen.grain *= (1 - open_part).astype(np.float32)


def _turned(field: Field, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return coordinates along and across a line through the micrograph, Å."""
    y, x = field.axes()
    middle = (rng.uniform(0.15, 0.85, 2) * field.shape).astype(np.float32)
    angle = rng.uniform(0, np.pi)
    dy = (y - middle[0]) * field.sampling_rate
    dx = (x - middle[1]) * field.sampling_rate
    return (
        dy * np.sin(angle) + dx * np.cos(angle),
        dy * np.cos(angle) - dx * np.sin(angle),
    )


def _jagged(along: FloatArray, slope: float, rng: np.random.Generator) -> FloatArray:
    """Return a broken line over `along`: pieces of 100 to 600 Å, with slopes."""
    low, high = float(along.min()), float(along.max())
    knots = np.cumsum(rng.uniform(100, 600, int((high - low) / 100) + 2))
    slopes = rng.normal(0, slope, len(knots))
    heights = np.cumsum(slopes * np.diff(knots, prepend=0.0))
    knots += low
    # It passes through the point that was drawn.
    heights -= np.interp(0.0, knots, heights)
    return np.asarray(np.interp(along, knots, heights))

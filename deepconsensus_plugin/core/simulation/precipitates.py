# SPDX-License-Identifier: GPL-3.0-or-later
"""Precipitates: dense heaps of molecules, of which no single one can be told."""

from __future__ import annotations

import numpy as np
import scipy.ndimage

from deepconsensus_plugin.core.simulation.contaminants import (
    Contaminant,
    draw_position,
)
from deepconsensus_plugin.core.simulation.library import Species
from deepconsensus_plugin.core.simulation.orientations import draw_angles, view_matrix
from deepconsensus_plugin.core.simulation.patches import patch_axes
from deepconsensus_plugin.core.simulation.projection import project
from deepconsensus_plugin.core.simulation.specimen import Specimen
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_N_VIEWS = 12
_RADII_A = (150.0, 1000.0)
_LAYERS = (2.0, 6.0)
"""Molecules over each point of the middle."""


def add_precipitate(
    specimen: Specimen, species: Species, rng: np.random.Generator
) -> Contaminant:
    """Add a heap of one species; return it, with the radius of its inner part."""
    rate = specimen.field.sampling_rate
    radius = float(np.exp(rng.uniform(*np.log(_RADII_A))))
    radius = max(radius, 1.2 * species.width_A)
    y, x = (round(value) for value in draw_position(specimen.field, radius, rng))
    density = _heap(radius, rate, rng)
    reach = len(density) // 2
    views = [
        project(species.whole, view_matrix(angles), sampling_rate=rate)
        for angles in draw_angles(_N_VIEWS, rng)
    ]
    layers = rng.uniform(*_LAYERS)
    molecule_px = np.pi / 4 * (species.width_A / rate) ** 2
    n_molecules = max(round(layers * float(density.sum()) / molecule_px), 3)
    chances = density.ravel() / density.sum()
    places = rng.choice(density.size, n_molecules, p=chances)
    drawn = rng.integers(_N_VIEWS, size=n_molecules)
    for place, view in zip(places, drawn, strict=True):
        row, column = divmod(int(place), density.shape[1])
        at = y + row - reach, x + column - reach
        specimen.add_particle(views[int(view)], at)
    specimen.mark(density > 0.15, AreaKind.CONTAMINATION, (y, x))
    return Contaminant("precipitate", y, x, 0.7 * radius)


def _heap(radius_A: float, rate: float, rng: np.random.Generator) -> FloatArray:
    """Return how dense a heap is, 0 - 1: an irregular blob that thins out outwards."""
    y, x = patch_axes(radius_A, rate)
    rough = scipy.ndimage.gaussian_filter(
        rng.normal(size=np.broadcast_shapes(y.shape, x.shape)), 0.25 * radius_A / rate
    )
    rough *= 0.25 / max(float(rough.std()), 1e-12)
    outward = np.hypot(y, x) / radius_A + rough
    edge = np.clip((1.2 * radius_A - np.maximum(np.abs(y), np.abs(x))) / 60, 0, 1)
    return np.asarray(np.clip((0.85 - outward) / 0.4, 0, 1) * edge)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated micrographs with the truth of their contamination, kept in a folder.

What a folder holds already is not made again, so a killed command goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.scenes import Split, draw_scene
from benchmarks.sets.simulated_sets import WHOLE
from deepconsensus_plugin.core.digests import digest
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.simulation import (
    SimulatedMicrograph,
    SimulationParameters,
    simulate_micrograph,
    true_coordinates,
)
from deepconsensus_plugin.core.simulation.library import load_library
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

_MOST_FILM = 0.5
_MOST_ATTEMPTS, _NEXT_ATTEMPT = 20, 1_000_000


@dataclass(frozen=True, eq=False)
class Example:
    """One micrograph with its truth.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Particles dark.
    kinds : array, shape (rows, columns), uint8
        Codes of `AreaKind`.
    particles_yx : array, shape (n, 2)
        Centres of whole particles, pixels.
    pixel_size_A : float
        Å/px.
    diameter_A : float
        Diameter of the particle, Å.
    """

    image: NDArray[np.float32]
    kinds: NDArray[np.uint8]
    particles_yx: FloatArray
    pixel_size_A: float
    diameter_A: float


def make_examples(folder: Path, split: Split, n: int) -> list[Example]:
    """Return the first `n` examples of a split; those in `folder` are read."""
    examples = []
    for number in range(n):
        path = folder / f"{split.value}_{number:04d}.npz"
        examples.append(read_or_make(path, draw_scene(split, number), number))
        if number % 50 == 49:
            print(f"{split.value}: {number + 1} of {n}", flush=True)
    return examples


def read_or_make(path: Path, parameters: SimulationParameters, index: int) -> Example:
    """Return micrograph `index` of a simulation; it is kept at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    origin = digest(to_plain(parameters))
    if path.exists() and (kept := _read(path, origin)) is not None:
        return kept
    micrograph = _simulate(parameters, index)
    example = Example(
        micrograph.image,
        micrograph.contamination,
        true_coordinates(micrograph.objects, WHOLE).yx,
        parameters.sampling_rate,
        load_library(parameters).diameter_A,
    )
    _write(path, example, origin)
    return example


def _simulate(parameters: SimulationParameters, index: int) -> SimulatedMicrograph:
    """Return a micrograph of which film covers less than half.

    Where it covers more, particles lie on a support, and film is what is usual.
    """
    for attempt in range(_MOST_ATTEMPTS):
        micrograph = simulate_micrograph(parameters, index + attempt * _NEXT_ATTEMPT)
        if (micrograph.contamination == AreaKind.CARBON).mean() < _MOST_FILM:
            break
    return micrograph


def _write(path: Path, example: Example, origin: str) -> None:
    # Electrons per pixel, of which half precision keeps three digits: far below noise.
    scale = float(np.median(example.image)) or 1.0
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez(
            file,
            image=(example.image / scale).astype(np.float16),
            kinds=example.kinds,
            particles_yx=example.particles_yx,
            pixel_size_A=example.pixel_size_A,
            diameter_A=example.diameter_A,
            origin=origin,
        )


def _read(path: Path, origin: str) -> Example | None:
    with np.load(path) as kept:
        if str(kept["origin"]) != origin:
            return None
        return Example(
            kept["image"].astype(np.float32),
            kept["kinds"],
            kept["particles_yx"],
            float(kept["pixel_size_A"]),
            float(kept["diameter_A"]),
        )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Lessons of the network of diameters: looks of simulated micrographs, and the truth.

Each made-up sample gives one micrograph as it is recorded, the same one filtered and
cut to 8 bits as programs do it, and every fifth one with randomised phases, whose truth
is that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.auto.molecules import draw_sample
from deepconsensus_plugin.core.null_control.phases import randomise_phases
from deepconsensus_plugin.core.pickers.diameter.estimate import scene_of
from deepconsensus_plugin.core.pickers.diameter.looks import Scene, look
from deepconsensus_plugin.core.simulation import simulate_micrograph
from deepconsensus_plugin.core.types import FloatArray

SIDE = 704
"""Side of a simulated micrograph, pixels."""

_NOISE_EVERY = 5
_LOWPASS, _HIGHPASS = (0.02, 0.12), (0.8, 3.0)
"""Ranges of the σ of filters, in diameters."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Looks of one micrograph, and the true diameter; NaN where there is none."""

    sample: int
    looks: FloatArray
    diameter_A: float


def make_lessons(number: int) -> list[Lesson]:
    """Return the lessons of the sample with this number."""
    sample = draw_sample(number)
    parameters = sample.parameters(SIDE)
    image = simulate_micrograph(parameters, 0).image
    scene = scene_of(np.asarray(image), parameters.sampling_rate)
    diameter_A = sample.nominal_diameter_A()
    rng = np.random.default_rng([9, number])
    filtered = filter_scene(scene, diameter_A, rng)
    lessons = [
        Lesson(number, look(scene), diameter_A),
        Lesson(number, look(filtered), diameter_A),
    ]
    if number % _NOISE_EVERY == 0:
        # In turn of what is recorded, and of what programs made of it.
        seen = filtered if number % (2 * _NOISE_EVERY) == 0 else scene
        noise = randomise_phases(
            seen.image, np.random.default_rng(number), is_usable=seen.is_usable
        )
        lessons.append(Lesson(number, look(replace(seen, image=noise)), np.nan))
    return lessons


def filter_scene(scene: Scene, diameter_A: float, rng: np.random.Generator) -> Scene:
    """Return a scene as a program may have changed it: filtered, denoised, 8 bits."""
    image, diameter_px = scene.image, diameter_A / scene.pixel_size_A
    kind = rng.integers(4)
    if kind in (0, 2):
        low, high = np.log(_LOWPASS)
        image = gaussian_filter(
            image, float(np.exp(rng.uniform(low, high))) * diameter_px
        )
    if kind in (1, 2):
        image = image - gaussian_filter(image, rng.uniform(*_HIGHPASS) * diameter_px)
    if kind == 3:
        image = _denoised(image, 0.04 * diameter_px, rng)
    low, high = np.quantile(image, [0.002, 0.998])
    if rng.random() < 0.5:
        image = np.round((np.clip(image, low, high) - low) / (high - low) * 255)
    image = (image - np.median(image)) / image.std()
    return replace(scene, image=image.astype(np.float32))


def _denoised(
    image: FloatArray, sigma_px: float, rng: np.random.Generator
) -> FloatArray:
    """Return an image whose fine details stay only where the coarse ones are strong."""
    coarse = gaussian_filter(image, sigma_px)
    strength = np.abs(coarse) / coarse.std()
    weight = np.clip(strength - rng.uniform(0, 1), 0, 1)
    return np.asarray(coarse + rng.uniform(0, 0.3) * (image - coarse) * weight)


def read_or_make(folder: Path, numbers: range) -> Iterator[Lesson]:
    """Yield the lessons of samples; those that a folder holds are not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        path = folder / f"{number:05d}.npz"
        if not path.is_file():
            made = make_lessons(number)
            np.savez_compressed(
                path,
                looks=np.stack([each.looks for each in made]).astype(np.float32),
                diameters=np.array([each.diameter_A for each in made]),
            )
        with np.load(path) as kept:
            looks, diameters = kept["looks"], kept["diameters"]
        for seen, diameter_A in zip(looks, diameters.tolist(), strict=True):
            yield Lesson(number, seen, diameter_A)

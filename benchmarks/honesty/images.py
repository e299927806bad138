# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs without particles, or without an image, made from others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.types import Micrograph

Image = NDArray[np.float32]


def noise(shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Return independent normal pixels."""
    return rng.standard_normal(shape, dtype=np.float32)


def with_random_phases(image: Image, rng: np.random.Generator) -> Image:
    """Return an image of the same spectrum whose phases are those of noise."""
    spectrum = scipy.fft.rfft2(image)
    phases = scipy.fft.rfft2(noise(image.shape, rng))
    phases /= np.maximum(np.abs(phases), 1e-12)
    phases[0, 0] = 1
    randomised = scipy.fft.irfft2(np.abs(spectrum) * phases, s=image.shape)
    return np.asarray(randomised, dtype=np.float32)


def inverted(image: Image, rng: np.random.Generator) -> Image:
    """Return an image of the opposite contrast about its mean."""
    del rng
    return np.asarray(2 * image.mean() - image, dtype=np.float32)


def change(
    micrograph: Micrograph,
    into: Callable[[Image, np.random.Generator], Image],
    folder: Path,
) -> Micrograph:
    """Return a micrograph of the same name, made from another and kept in `folder`.

    Its name is the seed.
    """
    path = folder / micrograph.name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        image = np.asarray(open_micrograph(micrograph.path), dtype=np.float32)
        made = into(image, np.random.default_rng(list(micrograph.name.encode())))
        rate = micrograph.sampling_rate
        write_micrograph(path, made, PixelType.FLOAT32, sampling_rate=rate)
    return Micrograph(micrograph.name, path, micrograph.shape, micrograph.sampling_rate)

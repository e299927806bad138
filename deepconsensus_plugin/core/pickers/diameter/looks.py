# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks of a micrograph at many scales: what blobs of each diameter look like.

At every trial diameter the micrograph is binned until that diameter spans some ten
pixels, a difference of Gaussians of that size is applied (scale space: Lindeberg,
1998), and the mean surroundings of its highest peaks are described by numbers that have
no scale: radii are in trial diameters, values relative to what noise of the same
spectrum would show. Particles half as wide, seen at half the trial diameter, give the
same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.classical.filtering import (
    ReflectedSpectrum,
    gaussian,
)
from deepconsensus_plugin.core.pickers.classical.gaussian import gaussian_width
from deepconsensus_plugin.core.pickers.diameter.surroundings import (
    RADII,
    mean_profile,
    noise_profile,
)
from deepconsensus_plugin.core.pickers.maps.peaks import find_peaks
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.binning import bin_pixels

Float32Array = NDArray[np.float32]

TRIALS_A = 40.0 * 2.0 ** (np.arange(19) / 4)
"""Trial diameters, 40 to 905 Å, four an octave."""

N_FEATURES = 3 * len(RADII) + 9

_WORKING_PX = 8.0
"""Least trial diameter after binning, pixels, if the micrograph has as many."""

_LEAST_PX = 5.0
"""Least trial diameter on the micrograph, pixels."""

_LEAST_ACROSS = 5
"""Least number of trial diameters along the shorter side."""

_SIDE = 512
"""Most rows and columns that are looked at, after binning; they are the middle ones."""

_RATIO = 1.1
"""Ratio of the widths of the two Gaussians."""

_AVERAGED, _HIGHEST = 0.1, 0.02
"""Shares of the area that peaks cover: those that are averaged, and those whose height
is told by itself."""

_MOST_PEAKS, _FEWEST_PEAKS = 200, 3

_DETAIL = 1 / 16
"""σ of the Gaussian through which profiles are seen, in trial diameters."""

_FINE = 1 / 4
"""Size of the details whose energy is told, in trial diameters."""

_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Scene:
    """A micrograph as it is looked at.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Particles white, finite.
    is_usable : array, shape (rows, columns), bool
        Where particles can be.
    pixel_size_A : float
        Å/px.
    """

    image: Float32Array
    is_usable: BoolArray
    pixel_size_A: float


def look(scene: Scene) -> FloatArray:
    """Return the looks of a scene at every trial diameter.

    Returns
    -------
    array, shape (len(TRIALS_A), N_FEATURES)
        NaN at diameters that the scene cannot show.
    """
    looks = np.full((len(TRIALS_A), N_FEATURES), np.nan)
    for number, diameter_A in enumerate(TRIALS_A):
        diameter_px = float(diameter_A) / scene.pixel_size_A
        across = min(scene.image.shape) / diameter_px
        if diameter_px >= _LEAST_PX and across >= _LEAST_ACROSS:
            seen = _look_at(scene, diameter_px)
            if seen is not None:
                looks[number] = seen
    return looks


def _look_at(scene: Scene, diameter_px: float) -> FloatArray | None:
    """Return the look at one trial diameter; None without enough usable area."""
    binning = max(1, int(diameter_px / _WORKING_PX))
    image, is_usable = _binned(scene, binning)
    diameter = diameter_px / binning
    n_places = is_usable.sum() / (math.pi / 4 * diameter**2)
    if n_places < _LEAST_ACROSS**2:
        return None
    image = np.where(is_usable, image - image[is_usable].mean(), 0).astype(np.float32)
    width = gaussian_width(diameter / 2)
    spectrum = ReflectedSpectrum.of(image, margin=math.ceil(4 * _RATIO * width))
    frequency = spectrum.frequency()
    band = gaussian(frequency, width) - gaussian(frequency, _RATIO * width)
    blobs, spread = _standardised(spectrum.filtered(band), is_usable)
    peaks = find_peaks(blobs, is_usable, radius_px=0.6 * diameter)
    n_averaged, n_highest = (
        max(_FEWEST_PEAKS, min(_MOST_PEAKS, round(share * n_places)))
        for share in (_AVERAGED, _HIGHEST)
    )
    if len(peaks) < n_averaged:
        return None
    heights = peaks.scores[:n_averaged]
    yx = peaks.yx[:n_averaged]
    seen_through = gaussian(frequency, diameter * _DETAIL)
    found = mean_profile(spectrum.filtered(seen_through), yx, diameter_px=diameter)
    noise = noise_profile(spectrum, seen_through * band, diameter_px=diameter)
    return np.concatenate(
        [
            *_shapes(found, noise * heights.mean() / spread),
            _tails(blobs[is_usable]),
            [peaks.scores[:n_highest].mean(), heights.mean(), len(peaks) / n_places],
            [math.log(len(peaks)), is_usable.mean()],
            _energy(spectrum, yx, is_usable, diameter),
        ]
    )


def _binned(scene: Scene, binning: int) -> tuple[Float32Array, BoolArray]:
    """Return the middle of the binned image, and of its usable area."""
    image, is_usable = scene.image, scene.is_usable
    if binning > 1:
        image = bin_pixels(image, binning)
        is_usable = bin_pixels(is_usable.astype(np.float32), binning) > 0.5
    middle = tuple(
        slice((n - side) // 2, (n - side) // 2 + side)
        for n, side in ((n, min(n, _SIDE)) for n in image.shape)
    )
    return image[middle], is_usable[middle]


def _standardised(
    blobs: Float32Array, is_usable: BoolArray
) -> tuple[Float32Array, float]:
    """Return an image with mean 0 and deviation 1 on usable area, and its deviation."""
    usable = blobs[is_usable]
    spread = float(usable.std(dtype=np.float64)) + _TINY**2
    return (blobs - np.float32(usable.mean(dtype=np.float64))) / np.float32(
        spread
    ), spread


def _shapes(found: FloatArray, noise: FloatArray) -> tuple[FloatArray, ...]:
    """Return both profiles with norm 1, and how the norms compare."""
    level = len(RADII) // 4
    profiles = [each - each[-level:].mean() for each in (found, noise)]
    norms = [float(np.linalg.norm(each)) + _TINY for each in profiles]
    shapes = [each / norm for each, norm in zip(profiles, norms, strict=True)]
    return (*shapes, np.array([math.log(norms[0] / norms[1])]))


def _tails(values: NDArray[Any]) -> list[float]:
    """Return what tells values from a normal distribution, each limited."""
    exact = values.astype(np.float64)
    squares = exact * exact  # a power takes ten times as long
    low, high = np.quantile(values[::5], [0.005, 0.995])
    return [
        float(np.clip((squares * exact).mean(), -3, 3)),
        math.log(float(np.clip((squares * squares).mean(), 1, 20))),
        math.log(max(high, 0.0) + 0.1) - math.log(max(-low, 0.0) + 0.1),
    ]


def _energy(
    spectrum: ReflectedSpectrum,
    yx: FloatArray,
    is_usable: BoolArray,
    diameter_px: float,
) -> FloatArray:
    """Return the log of the energy of fine details about places, over the usual."""
    width = gaussian_width(diameter_px * _FINE / 2)
    frequency = spectrum.frequency()
    band = gaussian(frequency, width) - gaussian(frequency, 2 * width)
    energy = spectrum.filtered(band) ** 2
    usual = float(energy[is_usable].mean(dtype=np.float64)) + _TINY**2
    profile = mean_profile(energy, yx, diameter_px=diameter_px)
    return np.asarray(np.log(profile / usual + 1e-3))

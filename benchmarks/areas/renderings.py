# SPDX-License-Identifier: GPL-3.0-or-later
"""Renderings of simulated micrographs: as programs and people leave them.

Filters, gradients, contrast curves, few grey levels, more noise and borders without
signal, each at random, so that the network learns what does not depend on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, median_filter, uniform_filter

from benchmarks.areas.examples import Example
from benchmarks.areas.network import CLASSES
from benchmarks.areas.network_input import network_input
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """Input of the network, and what it should say.

    Parameters
    ----------
    channels : array, shape (side, side, 3), float32
        `network_input`.
    classes : array, shape (side / 2, side / 2), uint8
        Index into `CLASSES`.
    weights : array, shape (side / 2, side / 2), float32
        Weight of each pixel; 0 where there is no signal.
    """

    channels: Float32Array
    classes: NDArray[np.uint8]
    weights: Float32Array


def draw_lessons(
    example: Example, side: int, n: int, rng: np.random.Generator
) -> list[Lesson]:
    """Return `n` parts of an example that is turned and rendered at random."""
    image, kinds = example.image, example.kinds
    # Now and then the network sees a small micrograph, not a part of a large one.
    if rng.random() < 0.4:
        length = int(rng.integers(160, min(image.shape) + 1))
        image, kinds = _crop(image, kinds, (length, length), rng)
    image = _rendered(image, rng)
    has_signal = _recorded(image.shape, rng)
    channels = network_input(
        np.ascontiguousarray(image, np.float32),
        has_signal,
        pixel_size_A=example.pixel_size_A,
    )
    weights = _edge_weights(kinds) * has_signal
    classes = np.zeros(kinds.shape, np.uint8)
    for index, kind in enumerate(CLASSES):
        classes[kinds == kind] = index
    stacked = np.dstack([channels, classes, weights]).astype(np.float32)
    lacking = [(0, max(0, side - length)) for length in image.shape]
    stacked = np.pad(stacked, [*lacking, (0, 0)])
    return [_cut_lesson(stacked, side, rng) for _ in range(n)]


def _cut_lesson(stacked: Float32Array, side: int, rng: np.random.Generator) -> Lesson:
    (part,) = _crop_all((stacked,), (side, side), rng)
    part = np.rot90(part, int(rng.integers(4)))
    if rng.random() < 0.5:
        part = part[:, ::-1]
    # The network's outputs are those of every other pixel.
    truth = part[1::2, 1::2]
    return Lesson(part[..., :3], truth[..., 3].astype(np.uint8), truth[..., 4])


def _edge_weights(kinds: NDArray[np.uint8]) -> Float32Array:
    """Return lower weights where kinds meet: fringes make the edge itself uncertain."""
    inside = (kinds != AreaKind.USABLE).astype(np.float32)
    near = uniform_filter(inside, 3)
    is_edge = (near > 0.01) & (near < 0.99)
    # What is small would be all edge.
    return np.where(is_edge, np.float32(0.6), np.float32(1))


def _crop(
    image: Float32Array,
    kinds: NDArray[np.uint8],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Float32Array, NDArray[np.uint8]]:
    image, kinds = _crop_all((image, kinds), shape, rng)
    return image, kinds


def _crop_all(
    arrays: tuple[NDArray[Any], ...], shape: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[Any], ...]:
    """Return the same part, drawn at random, of arrays whose first axes are alike."""
    starts = [
        int(rng.integers(length - side + 1))
        for length, side in zip(arrays[0].shape, shape, strict=False)
    ]
    where = tuple(slice(s, s + side) for s, side in zip(starts, shape, strict=True))
    return tuple(each[where] for each in arrays)


def _rendered(image: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Return an image as some program would have left it."""
    values = _scaled(image)
    noise = float(np.median(np.abs(np.diff(values, axis=0)))) + 1e-3
    if rng.random() < 0.25:
        values = values + np.float32(noise * rng.uniform(0.3, 2)) * rng.standard_normal(
            values.shape, np.float32
        )
    values = _filtered(values, rng)
    if rng.random() < 0.5:
        values = values + _gradient(values.shape, rng) * _scale_of(values)
    values = _curved(values, rng)
    if rng.random() < 0.3:
        values = _quantised(values, rng)
    return np.asarray(values, np.float32)


def _scale_of(values: Float32Array) -> float:
    low, high = np.percentile(values[::3, ::3], [25, 75])
    return float(high - low) / 1.35 or float(values.std()) or 1.0


def _scaled(values: Float32Array) -> Float32Array:
    centred = values - np.median(values[::3, ::3])
    return np.asarray(centred / _scale_of(values), np.float32)


def _filtered(values: Float32Array, rng: np.random.Generator) -> Float32Array:
    which = rng.random()
    if which < 0.25:
        values = gaussian_filter(values, rng.uniform(0.4, 1.6))
    elif which < 0.35:
        values = median_filter(values, 3)
    if rng.random() < 0.15:  # flattened
        values = values - rng.uniform(0.5, 1) * gaussian_filter(
            values, rng.uniform(15, 50)
        )
    return values


def _gradient(shape: tuple[int, ...], rng: np.random.Generator) -> Float32Array:
    """Return a slope with some curvature, of up to three standard deviations."""
    y, x = np.meshgrid(
        *(np.linspace(-1, 1, length, dtype=np.float32) for length in shape),
        indexing="ij",
    )
    a, b, c, d, e = rng.normal(size=5)
    surface = a * y + b * x + 0.6 * (c * y * x + d * y**2 + e * x**2)
    return np.asarray(surface * rng.uniform(0, 1.5), np.float32)


def _curved(values: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Return values after a contrast curve: clipped, an S, or bent."""
    which = rng.random()
    if which < 0.5:
        return values
    values = _scaled(values)
    if which < 0.7:
        low, high = np.percentile(
            values[::3, ::3], [rng.uniform(0, 3), 100 - rng.uniform(0, 3)]
        )
        return np.clip(values, low, high)
    if which < 0.85:
        return np.tanh(values * rng.uniform(0.15, 0.6))
    low, high = np.percentile(values[::3, ::3], [0.1, 99.9])
    unit = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return unit ** float(np.exp(rng.uniform(-0.7, 0.7)))


def _quantised(values: Float32Array, rng: np.random.Generator) -> Float32Array:
    low, high = np.percentile(
        values[::3, ::3], [rng.uniform(0, 0.5), 100 - rng.uniform(0, 0.5)]
    )
    levels = rng.integers(60, 256)
    unit = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return np.round(unit * levels)


def _recorded(shape: tuple[int, ...], rng: np.random.Generator) -> BoolArray:
    """Return which pixels hold signal; now and then a border does not."""
    has_signal = np.ones(shape, bool)
    if rng.random() < 0.15:
        top, bottom, left, right = (
            int(rng.integers(0, 25)) * int(rng.random() < 0.5) for _ in range(4)
        )
        has_signal[:top] = has_signal[shape[0] - bottom :] = False
        has_signal[:, :left] = has_signal[:, shape[1] - right :] = False
    return has_signal

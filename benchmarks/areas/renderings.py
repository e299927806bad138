# SPDX-License-Identifier: GPL-3.0-or-later
"""Renderings of simulated micrographs: as programs and people leave them.

Filters, gradients, contrast curves, few grey levels, more noise and borders without
signal, each at random, so that the network learns what does not depend on them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, median_filter

from deepconsensus_plugin.core.types import BoolArray

Float32Array = NDArray[np.float32]


def render(image: Float32Array, rng: np.random.Generator) -> Float32Array:
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


def draw_recorded(shape: tuple[int, ...], rng: np.random.Generator) -> BoolArray:
    """Return which pixels hold signal; now and then a border does not."""
    has_signal = np.ones(shape, bool)
    if rng.random() < 0.15:
        top, bottom, left, right = (
            int(rng.integers(0, 25)) * int(rng.random() < 0.5) for _ in range(4)
        )
        has_signal[:top] = has_signal[shape[0] - bottom :] = False
        has_signal[:, :left] = has_signal[:, shape[1] - right :] = False
    return has_signal

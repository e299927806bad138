# SPDX-License-Identifier: GPL-3.0-or-later
"""Ice crystals of more shapes: hexagonal plates, sheets, rods and frost.

Each function returns the thickness on a patch, Å, and the radius that molecules keep
off, Å, for a sampling rate and a random generator.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.ndimage

from deepconsensus_plugin.core.simulation.patches import patch_axes
from deepconsensus_plugin.core.types import FloatArray

Shape = Callable[[float, np.random.Generator], tuple[FloatArray, float]]


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _turned(
    extent_A: float, rate: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return coordinates along two axes that are turned at random, Å."""
    y, x = patch_axes(extent_A, rate)
    angle = rng.uniform(0, 2 * np.pi)
    return (
        y * np.cos(angle) - x * np.sin(angle),
        y * np.sin(angle) + x * np.cos(angle),
    )


def _polygon(v: FloatArray, u: FloatArray, angles: FloatArray) -> FloatArray:
    """Return how far out each point is, as the support function of a polygon."""
    outward = np.full(v.shape, -np.inf)
    for angle in angles:
        outward = np.maximum(outward, v * np.sin(angle) + u * np.cos(angle))
    return outward


def _finished(
    thickness: FloatArray, rate: float, rng: np.random.Generator
) -> FloatArray:
    """Return a thickness with rounded edges and uneven density."""
    blur = max(10.0 / rate, 0.5)
    field = rng.normal(size=thickness.shape)
    mottled = scipy.ndimage.gaussian_filter(field, rng.uniform(2, 8) * blur)
    mottled *= rng.uniform(0, 0.35) / max(float(mottled.std()), 1e-6)
    smooth = scipy.ndimage.gaussian_filter(thickness, blur)
    return np.asarray(smooth * np.clip(1 + mottled, 0.3, 2), dtype=np.float32)


def _hexagon(rate: float, rng: np.random.Generator) -> tuple[FloatArray, float]:
    radius = _log_uniform(rng, 60, 500)
    v, u = _turned(radius, rate, rng)
    # Seen at a slant it is narrower one way.
    outward = _polygon(v / rng.uniform(0.5, 1.0), u, np.arange(6) * np.pi / 3)
    slope = rng.uniform(0.1, 0.5) * radius
    height = rng.uniform(0.3, 1.2) * min(radius, 500.0)
    thickness = height * np.clip((0.87 * radius - outward) / slope, 0, 1)
    return _finished(thickness, rate, rng), radius


def _sheet(rate: float, rng: np.random.Generator) -> tuple[FloatArray, float]:
    extent = _log_uniform(rng, 600, 2500)
    v, u = _turned(extent, rate, rng)
    n_sides = int(rng.integers(4, 8))
    angles = np.linspace(0, 2 * np.pi, n_sides, endpoint=False)
    angles += rng.uniform(-0.3, 0.3, n_sides)
    narrow = rng.uniform(0.3, 1.0)
    inward = 0.8 * extent - _polygon(v / narrow, u, angles)
    thickness = rng.uniform(80, 300) * np.clip(inward / 40, 0, 1)
    return _finished(thickness, rate, rng), 0.6 * narrow * extent


def _rod(rate: float, rng: np.random.Generator) -> tuple[FloatArray, float]:
    half_length = _log_uniform(rng, 150, 900)
    half_width = max(rng.uniform(0.08, 0.3) * half_length, 40.0)
    v, u = _turned(half_length, rate, rng)
    inward = np.minimum(half_width - np.abs(v), half_length - np.abs(u))
    thickness = rng.uniform(0.6, 1.5) * half_width * np.clip(inward / 40, 0, 1)
    return _finished(np.minimum(thickness, 600.0), rate, rng), half_width


def _frost(rate: float, rng: np.random.Generator) -> tuple[FloatArray, float]:
    extent = _log_uniform(rng, 100, 900)
    y, x = patch_axes(extent, rate)
    thickness = np.zeros(np.broadcast_shapes(y.shape, x.shape))
    for _ in range(int(rng.integers(2, 13))):
        radius = extent * rng.uniform(0.15, 0.5)
        away, towards = (extent - radius) * np.sqrt(rng.random()), rng.uniform(0, 6.3)
        dy, dx = y - away * np.sin(towards), x - away * np.cos(towards)
        ball = 2 * np.sqrt(np.clip(radius**2 - dy**2 - dx**2, 0, None))
        thickness = np.maximum(thickness, rng.uniform(0.4, 1.0) * ball)
    return _finished(np.minimum(thickness, 900.0), rate, rng), extent


VARIED_CRYSTALS: tuple[Shape, ...] = (_hexagon, _sheet, _rod, _frost)

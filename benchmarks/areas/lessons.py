# SPDX-License-Identifier: GPL-3.0-or-later
"""Training pixels: features of rendered micrographs, and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.examples import Example
from benchmarks.areas.renderings import draw_recorded, render
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area.binning import bin_pixels
from deepconsensus_plugin.core.usable_area.contaminant_features import STEP, first_look
from deepconsensus_plugin.core.usable_area.contaminant_network import CLASSES
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

Float32Array = NDArray[np.float32]

_LEAST_SIDE = 150
_CROPPED, _RENDERED = 0.5, 0.75
"""Shares of the training micrographs that are small, and not as they were simulated."""

_SAMPLED = {"junk": 0.08, "particles": 0.03, "rest": 0.015}
_WEIGHTS = {"junk": 0.19, "particles": 1.0, "rest": 1.0}
"""Share of the pixels that are trained on, and the weight of each. Their product is
the weight of all pixels of a kind: background counts once, particles twice."""

_EDGE_WEIGHT = 0.5
"""Weight where kinds meet, since fringes make the edge itself uncertain."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """One rendered micrograph.

    Parameters
    ----------
    first : array, shape (rows, columns, n), float16
        `first_look`.
    has_signal : array, shape (rows, columns), bool
        Pixels that were recorded.
    pixel_size_A : float
        Å/px of these arrays.
    is_sampled : array, shape (rows, columns), bool
        Pixels that are trained on, m of them.
    classes : array, shape (m,), uint8
        Index into `CLASSES` of each.
    weights : array, shape (m,), float32
        Weight of each.
    """

    first: NDArray[np.float16]
    has_signal: BoolArray
    pixel_size_A: float
    is_sampled: BoolArray
    classes: NDArray[np.uint8]
    weights: Float32Array


def draw_lessons(
    examples: Sequence[Example], n_each: int, seed: int
) -> Iterator[Lesson]:
    """Yield `n_each` renderings of each example."""
    for number, example in enumerate(examples):
        for rendering in range(n_each):
            rng = np.random.default_rng([seed, number, rendering])
            yield _draw_lesson(example, rng)
        if number % 100 == 99:
            print(f"rendered {number + 1} of {len(examples)}", flush=True)


def _draw_lesson(example: Example, rng: np.random.Generator) -> Lesson:
    if rng.random() < _CROPPED:
        example = _cropped(example, rng)
    image = example.image
    if rng.random() < _RENDERED:
        image = render(image, rng)
    has_signal = draw_recorded(image.shape, rng)
    first = first_look(
        np.ascontiguousarray(image, np.float32),
        has_signal,
        pixel_size_A=example.pixel_size_A,
        # People know the diameter roughly.
        diameter_A=example.diameter_A * float(np.exp(rng.uniform(-0.2, 0.2))),
    )
    is_known = bin_pixels(has_signal, STEP) > 0.5
    shares = [bin_pixels(example.kinds == kind, STEP) for kind in CLASSES]
    share_junk = 1 - shares[0]
    likely = 1 + np.argmax(shares[1:], axis=0)
    classes = np.where(share_junk >= 0.5, likely, 0).astype(np.uint8)
    is_edge = (share_junk > 0.02) & (share_junk < 0.98)
    groups = classes > 0, (classes == 0) & _are_particles(example, classes.shape)
    sampled = np.select(
        groups, (_SAMPLED["junk"], _SAMPLED["particles"]), _SAMPLED["rest"]
    )
    weights = np.select(
        groups, (_WEIGHTS["junk"], _WEIGHTS["particles"]), _WEIGHTS["rest"]
    )
    weights = np.where(is_edge, _EDGE_WEIGHT, 1) * weights
    is_sampled = is_known & (rng.random(classes.shape) < sampled)
    return Lesson(
        first.astype(np.float16),
        is_known,
        example.pixel_size_A * STEP,
        is_sampled,
        classes[is_sampled],
        weights[is_sampled].astype(np.float32),
    )


def _cropped(example: Example, rng: np.random.Generator) -> Example:
    """Return a part of an example as a small micrograph."""
    side = int(rng.integers(_LEAST_SIDE, min(example.image.shape) + 1))
    top, left = (int(rng.integers(n - side + 1)) for n in example.image.shape)
    part = slice(top, top + side), slice(left, left + side)
    yx = example.particles_yx - [top, left]
    is_inside = ((yx >= 0) & (yx < side)).all(axis=1)
    # Film that covers most of a micrograph is not contamination there.
    if (example.kinds[part] == AreaKind.CARBON).mean() > 0.5:
        return example
    return replace(
        example,
        image=example.image[part],
        kinds=example.kinds[part],
        particles_yx=yx[is_inside],
    )


def _are_particles(example: Example, shape: tuple[int, ...]) -> BoolArray:
    """Return which pixels of the features lie on particles."""
    found = np.zeros(shape, bool)
    radius = max(0.5 * example.diameter_A / (example.pixel_size_A * STEP), 1.0)
    rows, columns = np.indices(shape)
    for y, x in example.particles_yx / STEP - 0.5:
        near = tuple(
            slice(max(0, int(c - radius)), int(c + radius) + 2) for c in (y, x)
        )
        away = (rows[near] - y) ** 2 + (columns[near] - x) ** 2
        found[near] |= away <= radius**2
    return found

# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes that a DeepEM picker learns from: particles and others, turned (Zhu et al.)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BoxExamples:
    """Boxes of both kinds, at least one of each.

    Parameters
    ----------
    particles, others : arrays, shape (n, side, side), float32
        Cut out of prepared micrographs.

    Raises
    ------
    ValueError
        If one kind is missing.
    """

    particles: Float32Array
    others: Float32Array

    def __post_init__(self) -> None:
        """Check that there is something to tell apart."""
        if not len(self.particles) or not len(self.others):
            raise ValueError(
                "expected boxes of particles and others, received "
                f"{len(self.particles)} and {len(self.others)}"
            )

    def with_more(self, particles: Float32Array, others: Float32Array) -> BoxExamples:
        """Return these boxes and more."""
        return BoxExamples(
            np.concatenate([self.particles, particles]),
            np.concatenate([self.others, others]),
        )

    def batch(
        self, size: int, rng: np.random.Generator, *, mirrored: bool = False
    ) -> tuple[Float32Array, Float32Array]:
        """Return boxes, as many particles as others, each turned by quarters at random.

        Parameters
        ----------
        size : int
            Boxes, >= 2.
        rng : numpy.random.Generator
            Draws boxes and turns.
        mirrored : bool
            Whether half of them are mirrored too.

        Returns
        -------
        boxes : array, shape (size, side, side, 1), float32
        targets : array, shape (size, 1), float32
            1 of a particle, else 0.
        """
        n_particles = size // 2
        boxes = np.concatenate(
            [
                self.particles[rng.integers(len(self.particles), size=n_particles)],
                self.others[rng.integers(len(self.others), size=size - n_particles)],
            ]
        )
        turns = rng.integers(4, size=size)
        for turn in range(1, 4):
            boxes[turns == turn] = np.rot90(boxes[turns == turn], turn, axes=(1, 2))
        if mirrored:
            is_mirrored = rng.random(size) < 0.5
            boxes[is_mirrored] = boxes[is_mirrored, ::-1]
        targets = np.zeros((size, 1), np.float32)
        targets[:n_particles] = 1
        return boxes[..., None], targets

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training examples of DeepEM: boxes of particles and of background, rotated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.types import FloatArray

Float32Array = NDArray[np.float32]

_MISTAKES_SHARE = 0.5
"""Share of false positives, if there are any, in the background of a batch: they are
rare among random boxes but the most informative."""


def extract_zero_padded(
    image: Float32Array, yx: FloatArray, box_size: int
) -> Float32Array:
    """Return boxes with pixels outside the image at 0, as in recognition.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        A prepared micrograph.
    yx : array, shape (n, 2)
        Centres, pixels.
    box_size : int
        Side, pixels.

    Returns
    -------
    array, shape (n, box_size, box_size), float32
    """
    return extract_boxes(np.pad(image, box_size), yx + box_size, box_size)


@dataclass(frozen=True, eq=False)
class BoxExamples:
    """Training boxes of particles and of background, at least one of each.

    Parameters
    ----------
    particles, others : arrays, shape (n, side, side), float32
        Cut out of prepared micrographs.
    mistakes : array, shape (n, side, side), float32, optional
        Background that the network took for particles. Default: none.

    Raises
    ------
    ValueError
        If one kind is missing.
    """

    particles: Float32Array
    others: Float32Array
    mistakes: Float32Array | None = None

    def __post_init__(self) -> None:
        """Check that there are boxes of both labels."""
        if not len(self.particles) or not len(self.others):
            raise ValueError(
                "expected boxes of particles and others, received "
                f"{len(self.particles)} and {len(self.others)}"
            )

    @property
    def all_others(self) -> Float32Array:
        """Background boxes and false positives together."""
        if self.mistakes is None:
            return self.others
        return np.concatenate([self.others, self.mistakes])

    def with_more(self, particles: Float32Array, mistakes: Float32Array) -> BoxExamples:
        """Return these boxes with more particles and more mistakes."""
        before = [] if self.mistakes is None else [self.mistakes]
        return BoxExamples(
            np.concatenate([self.particles, particles]),
            self.others,
            np.concatenate([*before, mistakes]),
        )

    def batch(
        self, size: int, rng: np.random.Generator, *, mirrored: bool = False
    ) -> tuple[Float32Array, Float32Array]:
        """Return boxes, half of them particles, each rotated by random quarter turns.

        Half of the background boxes are mistakes, if there are any.

        Parameters
        ----------
        size : int
            Boxes, >= 2.
        rng : numpy.random.Generator
            Generator of boxes and rotations.
        mirrored : bool
            Whether half of them are mirrored too.

        Returns
        -------
        boxes : array, shape (size, side, side, 1), float32
        targets : array, shape (size, 1), float32
            1 of a particle, else 0.
        """
        n_particles, n_mistakes = size // 2, 0
        if self.mistakes is not None and len(self.mistakes):
            n_mistakes = round(_MISTAKES_SHARE * (size - n_particles))
        drawn = (
            (self.particles, n_particles),
            (self.others, size - n_particles - n_mistakes),
            (self.mistakes, n_mistakes),
        )
        boxes = np.concatenate(
            [
                boxes[rng.integers(len(boxes), size=number)]
                for boxes, number in drawn
                if boxes is not None and number
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training patches of Topaz: around labels, and at random unlabelled places.

Pixels around a label are positives, pixels around a known negative are negatives, all
others are unlabelled (Bepler et al. 2018, Methods 3). Patches are rotated by random
angles and mirrored, so that no patch occurs twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

Float32Array = NDArray[np.float32]

POSITIVE, UNLABELLED, NEGATIVE = 1, 0, -1
"""Targets; `core.pickers.topaz.losses` takes them."""

_OUTSIDE = 2
"""Label of the margin around an image, where no patch is drawn."""

_TURNED = np.sqrt(2)
"""Margin a rotated patch needs, relative to its side."""


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """Prepared micrograph with its labels.

    Parameters
    ----------
    image : array, shape (rows, columns), float32
        Background at mean 0 and deviation 1.
    positives, negatives : arrays, shape (n, 2)
        Labelled centres ``yx``, pixels of `image`.
    """

    image: Float32Array
    positives: FloatArray
    negatives: FloatArray


class Examples:
    """Generator of batches of patches from labelled images.

    Parameters
    ----------
    images : sequence of LabelledImage
        At least one positive among them.
    side : int
        Side of a patch, pixels; odd.
    radius_px : float
        Radius around a labelled centre within which pixels have its label.

    Raises
    ------
    ValueError
        If no pixel is positive.
    """

    def __init__(
        self, images: Sequence[LabelledImage], *, side: int, radius_px: float
    ) -> None:
        self.side = side
        margin = int(np.ceil(side / 2 * _TURNED)) + 1
        padded = [np.pad(each.image, margin) for each in images]
        labels = [
            np.pad(_label_pixels(each, radius_px), margin, constant_values=_OUTSIDE)
            for each in images
        ]
        self._pixels = np.concatenate([image.ravel() for image in padded])
        self._labels = np.concatenate([label.ravel() for label in labels])
        self._widths = np.array([image.shape[1] for image in padded])
        self._ends = np.cumsum([image.size for image in padded])
        self._labelled = {
            target: np.flatnonzero(self._labels == target)
            for target in (POSITIVE, NEGATIVE)
        }
        self.n_pixels = sum(each.image.size for each in images)
        if not len(self._labelled[POSITIVE]):
            raise ValueError(
                "expected labelled particles inside the micrographs, received none"
            )

    def count(self, target: int) -> int:
        """Return the number of pixels with a target."""
        if target != UNLABELLED:
            return len(self._labelled[target])
        return self.n_pixels - sum(map(len, self._labelled.values()))

    def batch(
        self, size: int, labelled_fraction: float, rng: np.random.Generator
    ) -> tuple[Float32Array, Float32Array]:
        """Return patches and their targets.

        Parameters
        ----------
        size : int
            Patches.
        labelled_fraction : float
            Share of positives, and as many negatives again where any are known; at
            least one of each.
        rng : numpy.random.Generator
            Generator of places, angles and mirrors.

        Returns
        -------
        patches : array, shape (size, side, side, 1), float32
        targets : array, shape (size, 1), float32
        """
        n_labelled = max(1, round(size * labelled_fraction))
        drawn = {
            target: rng.choice(places, n_labelled)
            for target, places in self._labelled.items()
            if len(places)
        }
        drawn[UNLABELLED] = self._draw_unlabelled(size - n_labelled * len(drawn), rng)
        targets = [np.full((len(p), 1), t, np.float32) for t, p in drawn.items()]
        return self._cut(np.concatenate([*drawn.values()]), rng), np.concatenate(
            targets
        )

    def _draw_unlabelled(self, number: int, rng: np.random.Generator) -> IntArray:
        """Return `number` random positions of unlabelled pixels, all equally likely."""
        drawn = np.zeros(0, np.int64)
        while len(drawn) < number:
            tried = rng.integers(len(self._pixels), size=2 * number)
            drawn = np.append(drawn, tried[self._labels[tried] == UNLABELLED])
        return drawn[:number]

    def _cut(self, flat: IntArray, rng: np.random.Generator) -> Float32Array:
        """Return rotated and mirrored patches, interpolated linearly."""
        widths = self._widths[np.searchsorted(self._ends, flat, side="right")]
        angle = rng.uniform(0, 2 * np.pi, len(flat)).astype(np.float32)
        mirror = rng.choice(np.array([-1, 1], np.float32), len(flat))
        y, x = _grid(self.side)
        cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
        rows = cosine * y - sine * x * mirror[:, None]
        columns = sine * y + cosine * x * mirror[:, None]
        top, left = np.floor(rows), np.floor(columns)
        down, right = rows - top, columns - left
        first = (
            flat[:, None]
            + top.astype(np.int64) * widths[:, None]
            + left.astype(np.int64)
        )
        below = first + widths[:, None]
        upper = self._between(first, right)
        patches = upper + down * (self._between(below, right) - upper)
        return np.asarray(patches.reshape(-1, self.side, self.side, 1))

    def _between(self, flat: IntArray, right: Float32Array) -> Float32Array:
        left = self._pixels[flat]
        return np.asarray(left + right * (self._pixels[flat + 1] - left))


@lru_cache(maxsize=4)
def _grid(side: int) -> tuple[Float32Array, Float32Array]:
    """Return the positions of a patch's pixels relative to its centre, flattened."""
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y.ravel()[None], x.ravel()[None]


def _label_pixels(image: LabelledImage, radius_px: float) -> NDArray[np.int8]:
    """Return the target of every pixel; positives win where discs overlap."""
    labels = np.full(image.image.shape, UNLABELLED, np.int8)
    for yx, target in ((image.negatives, NEGATIVE), (image.positives, POSITIVE)):
        labels[mark_discs(image.image.shape, yx, radius_px)] = target
    return labels


def mark_discs(
    shape: tuple[int, ...], centres_yx: FloatArray, radius_px: float
) -> BoolArray:
    """Return which pixels lie within a radius of a centre.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    centres_yx : array, shape (n, 2)
        Pixels; rounded to whole ones.
    radius_px : float
        Included; >= 0.
    """
    is_near = np.zeros(shape, dtype=bool)
    disc = np.argwhere(disc_mask(radius_px)) - int(radius_px)
    places = np.floor(centres_yx + 0.5).astype(np.int64)[:, None] + disc
    inside = ((places >= 0) & (places < shape)).all(axis=2)
    is_near[tuple(places[inside].T)] = True
    return is_near


def disc_mask(radius_px: float) -> BoolArray:
    """Return the pixels of a disc, e.g. 29 of radius 3; odd side."""
    axis = np.arange(-int(radius_px), int(radius_px) + 1)
    return np.asarray(axis[:, None] ** 2 + axis**2 <= radius_px**2)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiles: small low-passed pictures of particles, a few thousand of them cached."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from deepconsensus_plugin.core.preprocessing import fourier_resize
from deepconsensus_plugin.plots.low_pass import SIGMA_PER_PERIOD
from deepconsensus_plugin.viewers.scores.images import ParticleImages, Recent

TILE_PX = 80
"""Side of a small picture."""
_N_TILES = 5000
"""Small pictures that are kept: 32 MB."""
_CONTRAST_DEVIATIONS = 2.5
_PATIENCE_S = 0.1
"""Seconds that a reader waits for the next pictures."""

Tile = NDArray[np.uint8]


class Tiles:
    """Small pictures of candidates, all of one size; those shown so far are cached.

    Parameters
    ----------
    images : ParticleImages
        Read by one thread at a time, as this is.
    """

    def __init__(self, images: ParticleImages):
        self._images = images
        self._low_pass_A = 0.0
        self._tiles: Recent[int, Tile] = Recent(self._make, _N_TILES)

    def read(
        self, rows: Iterable[int], *, low_pass_A: float
    ) -> Iterator[dict[int, Tile]]:
        """Yield the pictures of candidates: those at hand, then a few at a time.

        Parameters
        ----------
        rows : iterable of int
            Candidates.
        low_pass_A : float
            See `make_tile`.

        Yields
        ------
        dict of int to array
            Pictures by row; after about `_PATIENCE_S` what has been read by then.
        """
        if low_pass_A != self._low_pass_A:
            self._low_pass_A = low_pass_A
            self._tiles.clear()
        wanted = sorted(rows)  # neighbours of a set lie in the same file
        tiles = {row: self._tiles(row) for row in wanted if row in self._tiles}
        yield tiles
        missing = [row for row in wanted if row not in tiles]
        tiles, start = {}, time.monotonic()
        for row in missing:
            tiles[row] = self._tiles(row)
            if time.monotonic() - start > _PATIENCE_S:
                yield tiles
                tiles, start = {}, time.monotonic()
        yield tiles

    def _make(self, row: int) -> Tile:
        return make_tile(
            self._images.read(row),
            sampling_rate=self._images.sampling_rate,
            low_pass_A=self._low_pass_A,
        )


def make_tile(
    box: NDArray[np.float32], *, sampling_rate: float, low_pass_A: float = 0.0
) -> Tile:
    """Return a box as a small picture.

    It is cropped (or padded) in Fourier space, then multiplied by a Gaussian in it.

    Parameters
    ----------
    box : array, shape (box, box)
        Pixels; those that are not finite are grey.
    sampling_rate : float
        Å/px.
    low_pass_A : float
        Period of which half of the amplitude is left, Å; 0 for no filter.

    Returns
    -------
    array, shape (TILE_PX, TILE_PX), uint8
        Grey is the mean; black and white are 2.5 standard deviations from it.
    """
    is_finite = np.isfinite(box)
    level = box[is_finite].mean() if is_finite.any() else 0.0
    centred = np.where(is_finite, box - level, 0).astype(np.float32)
    small = fourier_resize(centred[np.newaxis], TILE_PX)[0]
    if low_pass_A > 0:
        tile_rate = sampling_rate * len(box) / TILE_PX
        sigma_px = SIGMA_PER_PERIOD * low_pass_A / tile_rate
        small = scipy.ndimage.gaussian_filter(small, sigma_px, mode="nearest")
    deviation = float(small.std()) or 1.0
    grey = (small - small.mean()) / (2 * _CONTRAST_DEVIATIONS * deviation) + 0.5
    return np.asarray(np.clip(grey * 255, 0, 255).round(), dtype=np.uint8)

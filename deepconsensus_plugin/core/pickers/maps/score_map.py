# SPDX-License-Identifier: GPL-3.0-or-later
"""Score maps: scores on a grid over an image, computed by tiles, and their maxima."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.pickers.maps.peaks import find_peaks
from deepconsensus_plugin.core.types import ScoredCoordinates

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """Map of scores on a grid that starts at the first pixel of an image.

    Parameters
    ----------
    values : array, shape (rows, columns), float32
        Higher is better.
    step : int
        Spacing of the grid, pixels of the image.
    """

    values: Float32Array
    step: int

    def maxima(self, *, radius_px: float) -> ScoredCoordinates:
        """Return the local maxima, one per neighbourhood, best first.

        Positions are pixels of the image, interpolated between places of the grid.
        Maxima on the border are included.

        Parameters
        ----------
        radius_px : float
            Of two maxima at this distance or closer the higher one is kept; pixels of
            the image, > 0.
        """
        found = find_peaks(
            self.values,
            np.ones(self.values.shape, dtype=bool),
            radius_px=radius_px / self.step,
            lowest=-np.inf,
            at_borders=True,
        )
        return ScoredCoordinates(found.yx * self.step, found.scores)


def score_in_tiles(
    score: Callable[[Float32Array], Float32Array],
    image: Float32Array,
    *,
    reach: int,
    step: int,
    tile: int,
) -> ScoreMap:
    """Return the score map of an image, computed by tiles without a difference.

    Parameters
    ----------
    score : callable
        As for `compute_in_tiles`, with one number per place.
    image, reach, step, tile
        As for `compute_in_tiles`.
    """
    values = compute_in_tiles(score, image, reach=reach, step=step, tile=tile)
    return ScoreMap(values, step)


def compute_in_tiles(
    compute: Callable[[Float32Array], Float32Array],
    image: Float32Array,
    *,
    reach: int,
    step: int,
    tile: int,
    context: int = 0,
) -> Float32Array:
    """Return the output of a network for an image, computed by tiles.

    The result is that of the whole image. All tiles have the same shape, so that one
    graph is compiled.

    Parameters
    ----------
    compute : callable
        From pixels, shape (n + 2 · reach, m + 2 · reach), to numbers at every `step`-th
        pixel from the first that lies `reach` inside, shape (⌈n / step⌉, ⌈m / step⌉) or
        (⌈n / step⌉, ⌈m / step⌉, channels).
    image : array, shape (rows, columns), float32
        Pixels outside count as 0, the mean of the background.
    reach : int
        Radius of the receptive field, pixels.
    step : int
        Pixels between output places.
    tile : int
        Largest side of a tile, pixels; a multiple of `step`. Tiles are equal, and no
        larger than the image asks for.
    context : int
        Lines at each border that are only looked at: the output begins inside. At most
        `reach`.

    Returns
    -------
    array, shape (⌈rows / step⌉, ⌈columns / step⌉) or with channels, float32
        Of the rows and columns inside the context.
    """
    lengths = [length - 2 * context for length in image.shape]
    around = reach - context
    tiles = [-(-length // tile) for length in lengths]
    sides = [
        -(-length // (n * step)) * step
        for length, n in zip(lengths, tiles, strict=True)
    ]
    borders = [
        (around, n * side - length + around)
        for n, side, length in zip(tiles, sides, lengths, strict=True)
    ]
    padded = np.pad(image, borders)
    rows = [
        np.concatenate(
            [
                compute(
                    padded[
                        top : top + sides[0] + 2 * reach,
                        left : left + sides[1] + 2 * reach,
                    ]
                )
                for left in range(0, tiles[1] * sides[1], sides[1])
            ],
            axis=1,
        )
        for top in range(0, tiles[0] * sides[0], sides[0])
    ]
    n_rows, n_columns = (-(-length // step) for length in lengths)
    values = np.concatenate(rows)[:n_rows, :n_columns]
    return np.asarray(values, dtype=np.float32)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of particles, read when they are looked at and made small for the eye.

Memory is bounded: a few files are open, and a few thousand small pictures are kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import mrcfile
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from deepconsensus_plugin.commands.picture import SIGMA_PER_PERIOD
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.preprocessing import fourier_resize
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.viewers.scores.table import ShownMicrographs

TILE_PX = 80
"""Side of a small picture."""
_N_TILES = 5000
"""Small pictures that are kept: 32 MB."""
_N_STACKS, _N_MICROGRAPHS = 16, 2
"""Files that are kept open; a compressed micrograph is in memory then."""
_CONTRAST_DEVIATIONS = 2.5
_PATIENCE_S = 0.1
"""How long a reader waits for the next pictures."""

Tile = NDArray[np.uint8]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ParticleImages(Protocol):
    """Where pictures of candidates come from."""

    sampling_rate: float
    """Å/px."""

    def read(self, row: int) -> NDArray[np.float32]:
        """Return the box of a candidate, shape (box, box), float32."""


class _Recent(Generic[Key, Value]):
    """The values that were asked for last; others are made again."""

    def __init__(self, make: Callable[[Key], Value], size: int):
        self._make, self._size = make, size
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __call__(self, key: Key) -> Value:
        """Return the value of `key`."""
        if key not in self._values:
            self._values[key] = self._make(key)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)
        return self._values[key]

    def __contains__(self, key: Key) -> bool:
        """Return whether the value need not be made."""
        return key in self._values

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()


class StackImages:
    """Boxes that were written to MRC stacks, n candidates.

    Parameters
    ----------
    paths : sequence of Path
        Stacks.
    path_index : array, shape (n,), int
        The stack of each candidate.
    position : array, shape (n,), int
        Its place in the stack, from 1.
    sampling_rate : float
        Å/px.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        path_index: IntArray,
        position: IntArray,
        *,
        sampling_rate: float,
    ):
        self.sampling_rate = sampling_rate
        self._paths, self._path_index, self._position = paths, path_index, position
        self._open = _Recent(_map_stack, _N_STACKS)

    def read(self, row: int) -> NDArray[np.float32]:
        """Return the box of a candidate.

        Raises
        ------
        FileNotFoundError
            If the stack is gone.
        FileFormatError
            If it has no such image.
        """
        path, position = self._paths[self._path_index[row]], int(self._position[row])
        stack = self._open(path)
        if not 1 <= position <= len(stack):
            raise FileFormatError(
                path,
                expected=f"an image number {position}",
                received=f"{len(stack)} images",
            )
        return np.asarray(stack[position - 1], dtype=np.float32)


def _map_stack(path: Path) -> NDArray[Any]:
    with mrcfile.mmap(path, mode="r", permissive=True) as stack:
        images = stack.data
        return images if images.ndim == 3 else images[np.newaxis]


class MicrographImages:
    """Boxes cut out of micrographs, for candidates without stacks.

    Parameters
    ----------
    micrographs : ShownMicrographs
        Boxes have the size of their candidates.
    micrograph_index : array, shape (n,), int
        The micrograph of each candidate, or -1.
    yx : array, shape (n, 2)
        Centres, pixels of the micrographs.
    """

    def __init__(
        self, micrographs: ShownMicrographs, micrograph_index: IntArray, yx: FloatArray
    ):
        self.sampling_rate = micrographs.sampling_rate
        self._box_size = max(1, round(micrographs.box_size))
        self._paths = micrographs.paths
        self._micrograph_index, self._yx = micrograph_index, yx
        self._open = _Recent(open_micrograph, _N_MICROGRAPHS)

    def read(self, row: int) -> NDArray[np.float32]:
        """Return the box of a candidate; what lies outside is mirrored.

        One that is on no micrograph is zero throughout.

        Raises
        ------
        FileNotFoundError, FileFormatError
            If the micrograph cannot be read.
        """
        number = self._micrograph_index[row]
        if number < 0:
            return np.zeros((self._box_size, self._box_size), np.float32)
        micrograph = self._open(self._paths[number])
        return extract_boxes(micrograph, self._yx[row : row + 1], self._box_size)[0]


class Tiles:
    """Small pictures of candidates, all of one size, as far as they were looked at.

    Parameters
    ----------
    images : ParticleImages
        Read by one thread at a time, as this is.
    """

    def __init__(self, images: ParticleImages):
        self._images = images
        self._low_pass_A = 0.0
        self._tiles: _Recent[int, Tile] = _Recent(self._make, _N_TILES)

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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of candidates, read from stacks or micrographs when they are shown.

A few files are open at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import mrcfile
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.preprocessing import fourier_resize
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

_N_STACKS, _N_MICROGRAPHS = 16, 2
"""Files that are kept open; a compressed micrograph is in memory then."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
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
        The stack of each candidate; -1 for one that has no picture.
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
        self._open = Recent(_map_stack, _N_STACKS)

    def has(self, row: int) -> bool:
        """Return whether a candidate has a picture."""
        return bool(self._path_index[row] >= 0)

    @property
    def has_all(self) -> bool:
        """Whether all candidates have one."""
        return bool((self._path_index >= 0).all())

    @property
    def first_row(self) -> int:
        """First candidate that has one."""
        return int(np.argmax(self._path_index >= 0))

    def read(self, row: int) -> NDArray[np.float32]:
        """Return the box of a candidate that has one.

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
        self._open = Recent(open_micrograph, _N_MICROGRAPHS)

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


class MixedImages:
    """Boxes of stacks, and for candidates that are in none, boxes of micrographs.

    Particles may have been inverted when they were written; then so are the others.
    """

    def __init__(self, stacks: StackImages, cut_out: MicrographImages):
        self.sampling_rate = stacks.sampling_rate
        self._stacks, self._cut_out = stacks, cut_out

    @cached_property
    def _example(self) -> NDArray[np.float32]:
        return self._stacks.read(self._stacks.first_row)

    @cached_property
    def _sign(self) -> float:
        """Contrast of the stacks relative to the micrographs, 1 or -1."""
        ours, theirs = self._example, self._resized(self._stacks.first_row)
        together = ((ours - ours.mean()) * (theirs - theirs.mean())).sum()
        return -1.0 if together < 0 else 1.0

    def _resized(self, row: int) -> NDArray[np.float32]:
        """Return a box of a micrograph with the pixels of the stacks."""
        return fourier_resize(self._cut_out.read(row)[None], len(self._example))[0]

    def read(self, row: int) -> NDArray[np.float32]:
        """Return the box of a candidate.

        Raises
        ------
        FileNotFoundError, FileFormatError
            If the stack or the micrograph cannot be read.
        """
        if self._stacks.has(row):
            return self._stacks.read(row)
        return np.asarray(self._sign * self._resized(row), dtype=np.float32)


ParticleImages = StackImages | MicrographImages | MixedImages
"""Source of pictures of candidates."""

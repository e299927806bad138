# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of candidates, read from stacks or micrographs when they are shown.

A few files are open at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import mrcfile
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
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
        self._open = Recent(_map_stack, _N_STACKS)

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


ParticleImages = StackImages | MicrographImages
"""Source of pictures of candidates."""

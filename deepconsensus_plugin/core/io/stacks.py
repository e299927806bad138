# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks of particle images in MRC files, memory-mapped.

The images lie one below the other, as they do in the file, so that an image is a box of
one large picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.mrc import HEADER_BYTES, MrcLayout, read_layout
from deepconsensus_plugin.core.types import FloatArray, IntArray


def open_stack(path: Path | str) -> NDArray[Any]:
    """Open a stack of square images as one array, without reading it.

    Parameters
    ----------
    path : Path or str
        MRC (modes 0, 1, 2, 6, 12; either byte order).

    Returns
    -------
    array, shape (n * side, side)
        Read-only memory map, in the type of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is no MRC file, is truncated, or its images are not square.
    """
    path = Path(path)
    layout = _layout(path)
    return np.memmap(path, layout.dtype, "r", layout.offset, layout.shape)


def read_stack_header(path: Path | str) -> tuple[int, int, float | None]:
    """Return the number of images, their side in pixels, and Å/px where it is known.

    Raises
    ------
    FileNotFoundError, FileFormatError
        As `open_stack`.
    """
    layout = _layout(Path(path))
    return layout.n_images, layout.shape[1], layout.pixel_size_A


def centres_of(index: IntArray, side: int) -> FloatArray:
    """Return the centres ``yx``, shape (n, 2), of images, counted from 0."""
    rows = np.asarray(index) * side + side // 2
    return np.column_stack([rows, np.full(len(rows), side // 2)]).astype(np.float64)


def _layout(path: Path) -> MrcLayout:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    layout = read_layout(path, head, size=path.stat().st_size, is_stack=True)
    rows, side = layout.shape
    if rows != layout.n_images * side:
        raise FileFormatError(
            path,
            expected="a stack of square images",
            received=f"images of {rows // layout.n_images} rows of {side} pixels",
        )
    return layout

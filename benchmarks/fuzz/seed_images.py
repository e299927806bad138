# SPDX-License-Identifier: GPL-3.0-or-later
"""Small images in all types of files, from which mutations start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np
import tifffile

_IMAGE = np.random.default_rng(0).normal(100, 9, (24, 32))
_RATE = 2.5

TIFFS = (
    *({"compression": kind} for kind in ("lzw", "zlib", "packbits", "lzma", "zstd")),
    *({"compression": "lzw", "rowsperstrip": 5}, {"tile": (16, 16)}, {}),
    *({"compression": "zlib", "predictor": True}, {"bigtiff": True}),
    {"rowsperstrip": 7},
)
"""Options of the seeds of TIFF, each in three types of pixels."""

Write = Callable[[Path], object]


def write_mrc(kind: str) -> Write:
    """Return what writes an MRC file of a type of pixels."""

    def write(path: Path) -> None:
        target = path.with_suffix(".mrc")
        mrcfile.write(target, _IMAGE.astype(kind), voxel_size=_RATE, overwrite=True)
        path.write_bytes(target.read_bytes())

    return write


def packed(pack: Callable[[bytes], bytes]) -> Callable[[], list[Write]]:
    """Return writers of a compressed MRC file."""

    def write(path: Path) -> None:
        write_mrc("f4")(path)
        path.write_bytes(pack(path.read_bytes()))

    return lambda: [write]


def tiff(kind: str, options: dict[str, object]) -> Write:
    """Return what writes a TIFF file."""
    return lambda path: tifffile.imwrite(path, _IMAGE.astype(kind), **options)

# SPDX-License-Identifier: GPL-3.0-or-later
"""TIFF files of one greyscale image: what the tags say, checked before it is used.

tifffile reads the tags. What is made of them here holds for the file as it is: an image
of at least one pixel, pieces that cover it and lie within the file, and no more memory
than `MOST_UNPACKED` to unpack them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.untrusted import MOST_UNPACKED, PARSER_ERRORS
from deepconsensus_plugin.core.limits import FARTHEST_PX

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_UNITS_A = {2: 2.54e8, 3: 1e8}
"""Å in an inch and in a centimetre, by TIFF's number of the unit."""

_COARSEST_A = 100.0
"""A TIFF with larger pixels tells the resolution of paper, not of a microscope."""

_MOST_PAGES = 100_000
"""Pages that are counted; a file with more is refused anyway."""


@dataclass(frozen=True)
class TiffLayout:
    """Layout of a TIFF image: its pixels, and the pieces that it is stored in.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns.
    dtype : dtype
        Type and byte order of a pixel.
    pixel_size_A : float or None
        Å/px; None where the file does not say.
    bits : int
        Bits of a pixel in the file; less than those of `dtype` where they are packed.
    compression, predictor : int
        TIFF's numbers.
    is_reversed : bool
        Whether the bits of each byte are in reverse order.
    piece : tuple of int
        Rows and columns of a strip or tile; the last strip may have fewer.
    are_tiles : bool
        Whether the pieces are tiles, which all have the full size.
    offsets, counts : tuple of int
        First byte and number of bytes of each piece, row by row.
    is_mapped : bool
        Whether all pixels lie in one run of bytes, as they are.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    pixel_size_A: float | None
    bits: int
    compression: int
    predictor: int
    is_reversed: bool
    piece: tuple[int, int]
    are_tiles: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    is_mapped: bool

    @property
    def n_pieces(self) -> tuple[int, int]:
        """Pieces along rows and columns that cover the image."""
        (rows, columns), (height, width) = self.shape, self.piece
        return -(-rows // height), -(-columns // width)

    @property
    def n_bytes(self) -> int:
        """Bytes of the image in memory."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize


def read_tiff_layout(path: Path) -> TiffLayout:
    """Return the layout of a TIFF file with one greyscale image.

    Raises
    ------
    FileFormatError
        If it is no such file, or pieces of the image are missing.
    """
    with _page(path) as page:
        layout = _layout(path, page)
    _check_pieces(path, layout)
    return layout


@contextmanager
def _page(path: Path) -> Iterator[Any]:
    """Yield the image of a TIFF file; whatever tifffile meets is a format error."""
    try:
        with tifffile.TiffFile(path) as tiff:
            yield _only_page(path, tiff)
    except (FileFormatError, FileNotFoundError):
        raise
    except (tifffile.TiffFileError, *PARSER_ERRORS) as error:
        raise FileFormatError(
            path, expected="a readable TIFF micrograph", received=str(error)[:200]
        ) from error


def _only_page(path: Path, tiff: Any) -> Any:
    """Return the only page that is no thumbnail."""
    if len(tiff.pages) > _MOST_PAGES:
        pages: list[Any] = []
        frames = len(tiff.pages)
    else:
        pages = [page for page in tiff.pages if not page.keyframe.is_reduced]
        # ImageJ describes only the first of its images.
        frames = max(len(pages), int((tiff.imagej_metadata or {}).get("images", 0)))
    if frames != 1:
        raise FileFormatError(
            path,
            expected="one image (a micrograph, not a movie or stack)",
            received=f"{frames} pages",
        )
    return pages[0]


def _layout(path: Path, page: Any) -> TiffLayout:
    is_mapped = bool(page.is_memmappable)
    rows, columns = _shape(path, page)
    piece = (min(int(page.rowsperstrip or rows), rows), columns)
    if page.is_tiled:
        piece = (int(page.tilelength), int(page.tilewidth))
    return TiffLayout(
        shape=(rows, columns),
        dtype=page.dtype.newbyteorder(page.parent.byteorder),
        pixel_size_A=_pixel_size(page),
        bits=int(page.bitspersample),
        compression=int(page.compression),
        predictor=int(page.predictor),
        is_reversed=int(page.fillorder) == 2,
        piece=piece,
        are_tiles=bool(page.is_tiled),
        offsets=tuple(map(int, page.dataoffsets)),
        counts=tuple(map(int, page.databytecounts)),
        is_mapped=is_mapped,
    )


def _shape(path: Path, page: Any) -> tuple[int, int]:
    shape = tuple(page.shape)
    is_plain = len(shape) == 2 and all(isinstance(side, int) for side in shape)
    if not is_plain or page.dtype is None or page.dtype.kind not in "iuf":
        raise FileFormatError(
            path,
            expected="a greyscale image with rows and columns",
            received=f"shape {str(shape)[:80]} of {page.dtype}",
        )
    if not all(1 <= side <= FARTHEST_PX for side in shape):
        raise FileFormatError(
            path,
            expected=f"an image of 1 to {FARTHEST_PX:g} rows and columns",
            received=f"{shape[0]} x {shape[1]}",
        )
    return shape[0], shape[1]


def _pixel_size(page: Any) -> float | None:
    """Return Å/px from the resolution; None where it is that of a screen or printer."""
    unit_A = _UNITS_A.get(int(page.resolutionunit))
    per_unit = float(page.resolution[0])
    if unit_A is None or not per_unit > 0:
        return None
    pixel_size = float(f"{unit_A / per_unit:.6g}")
    return pixel_size if 0 < pixel_size < _COARSEST_A else None


def _check_pieces(path: Path, layout: TiffLayout) -> None:
    """Refuse an image that lies outside the file, has gaps, or is too large to unpack.

    Raises
    ------
    FileFormatError
        If it is so.
    """
    size = path.stat().st_size
    if layout.is_mapped:
        _check_end(path, layout.offsets[0], layout.n_bytes, size)
        return
    if min(layout.piece) < 1:
        received = f"strips or tiles of {layout.piece} rows and columns"
        raise FileFormatError(path, expected="pieces of an image", received=received)
    if layout.n_bytes > MOST_UNPACKED or _piece_bytes(layout) > MOST_UNPACKED:
        raise FileFormatError(
            path,
            expected=f"at most {MOST_UNPACKED} bytes of pixels in a TIFF that is "
            "compressed or in tiles (larger ones: uncompressed, in strips)",
            received=f"{layout.n_bytes}, in pieces of {_piece_bytes(layout)}",
        )
    along_rows, along_columns = layout.n_pieces
    n = along_rows * along_columns
    if not len(layout.offsets) == len(layout.counts) == n:
        received = f"{len(layout.offsets)} offsets and {len(layout.counts)} sizes"
        raise FileFormatError(path, expected=f"{n} strips or tiles", received=received)
    for offset, count in zip(layout.offsets, layout.counts, strict=True):
        _check_end(path, offset, count, size)


def _piece_bytes(layout: TiffLayout) -> int:
    return layout.piece[0] * layout.piece[1] * layout.dtype.itemsize


def _check_end(path: Path, offset: int, count: int, size: int) -> None:
    if offset <= 0 or count <= 0 or offset + count > size:
        raise FileFormatError(
            path,
            expected=f"pixels within the {size} bytes of the file",
            received=f"{count} bytes from {offset} (a truncated file)",
        )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs on disk as 2-D arrays, memory-mapped wherever the file allows it.

A plain MRC file is never read, only mapped. Rows come in file order: ``array[y, x]``,
no flip.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.mrc import HEADER_BYTES, read_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIFF_UNITS_A = {2: 2.54e8, 3: 1e8}
"""Å in an inch and in a centimetre, by TIFF's number of the unit."""

_COARSEST_A = 100.0
"""A TIFF with larger pixels tells the resolution of paper, not of a microscope."""

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_micrograph(path: Path | str) -> NDArray[Any]:
    """Open one micrograph as an array, without reading it where the file allows.

    Parameters
    ----------
    path : Path or str
        MRC (modes 0, 1, 2, 6, 12; either byte order), the same compressed with gzip or
        bzip2, or a greyscale TIFF with one image (a thumbnail beside it is left out).
        The content decides, not the extension.

    Returns
    -------
    array, shape (rows, columns)
        Pixels in the type of the file; read-only memory map for plain MRC and for
        uncompressed TIFF, in memory for everything compressed. Mode 0 is int8, or
        uint8 where the header says that the bytes are unsigned.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is no image of these kinds, is truncated, complex, or holds several.
    """
    path = Path(path)
    head = _read_head(path)
    if head[:4] in _TIFF_MAGIC:
        return _open_tiff(path)
    size = _plain_size(path, head)
    if size is None:
        return _open_compressed_mrc(path, head)
    layout = read_layout(path, head, size=size)
    return np.memmap(path, layout.dtype, "r", layout.offset, layout.shape)


@dataclass(frozen=True)
class MicrographHeader:
    """Shape and pixel size that a file tells before any pixel is read.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns, pixels.
    pixel_size_A : float, optional
        Å/px; None where the file does not say.
    """

    shape: tuple[int, int]
    pixel_size_A: float | None


def read_header(path: Path | str) -> MicrographHeader:
    """Return what the header of a micrograph says, reading nothing else.

    Parameters
    ----------
    path : Path or str
        As for `open_micrograph`, which also lists the errors. Whether a *compressed*
        file is complete is not looked at.
    """
    path = Path(path)
    head = _read_head(path)
    if head[:4] in _TIFF_MAGIC:
        with _tiff_page(path) as page:
            return MicrographHeader(_tiff_shape(path, page), _tiff_pixel_size(page))
    size = _plain_size(path, head)
    if size is None:
        with _decompressed(path, head) as stream:
            head = stream.read(HEADER_BYTES)
    layout = read_layout(path, head, size=size)
    return MicrographHeader(layout.shape, layout.pixel_size_A)


def read_shape(path: Path | str) -> tuple[int, int]:
    """Return rows and columns of a micrograph, as `read_header` does."""
    return read_header(path).shape


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def _plain_size(path: Path, head: bytes) -> int | None:
    """Return the size in bytes, or None if the file is compressed."""
    # The stamp goes first: an image may be as wide as a compressor's magic number.
    if head[208:211] != b"MAP" and (head[:2] == b"\x1f\x8b" or head[:3] == b"BZh"):
        return None
    return path.stat().st_size


@contextmanager
def _decompressed(path: Path, head: bytes) -> Iterator[IO[bytes]]:
    opener: Any = gzip.open if head[:2] == b"\x1f\x8b" else bz2.open
    try:
        with opener(path, "rb") as stream:
            yield stream
    except (EOFError, OSError, zlib.error) as error:
        raise FileFormatError(
            path, expected="a complete gzip or bzip2 file", received=str(error)
        ) from error


def _open_compressed_mrc(path: Path, head: bytes) -> NDArray[Any]:
    with _decompressed(path, head) as stream:
        content = stream.read()
    layout = read_layout(path, content[:HEADER_BYTES], size=len(content))
    pixels = np.frombuffer(content[layout.offset : layout.end], layout.dtype)
    return pixels.reshape(layout.shape)


@contextmanager
def _tiff_page(path: Path) -> Iterator[Any]:
    """Yield the image of a TIFF file; whatever tifffile meets is a format error."""
    try:
        with tifffile.TiffFile(path) as tiff:
            pages = _full_pages(tiff)
            frames = max(len(pages), _imagej_frames(tiff))
            if frames != 1:
                raise FileFormatError(
                    path,
                    expected="one image (a micrograph, not a movie or stack)",
                    received=f"{frames} pages",
                )
            yield pages[0]
    except FileFormatError:
        raise
    except (tifffile.TiffFileError, ValueError, KeyError, OSError) as error:
        raise FileFormatError(
            path, expected="a readable TIFF micrograph", received=str(error)
        ) from error


def _full_pages(tiff: Any) -> list[Any]:
    """Return the pages without thumbnails."""
    return [page for page in tiff.pages if not page.keyframe.is_reduced]


def _imagej_frames(tiff: Any) -> int:
    """Return how many images ImageJ says there are: it describes only the first."""
    return int((tiff.imagej_metadata or {}).get("images", 0))


def _tiff_shape(path: Path, page: Any) -> tuple[int, int]:
    shape = tuple(int(length) for length in page.shape)
    if len(shape) != 2 or page.dtype is None or page.dtype.kind not in "iuf":
        raise FileFormatError(
            path,
            expected="a greyscale image with rows and columns",
            received=f"shape {shape} of {page.dtype}",
        )
    return shape[0], shape[1]


def _tiff_pixel_size(page: Any) -> float | None:
    """Return Å/px from the resolution; None where it is that of a screen or printer."""
    unit_A = _TIFF_UNITS_A.get(int(page.resolutionunit))
    per_unit = float(page.resolution[0])
    if unit_A is None or not per_unit > 0:
        return None
    pixel_size = unit_A / per_unit
    return float(f"{pixel_size:.6g}") if pixel_size < _COARSEST_A else None


def _open_tiff(path: Path) -> NDArray[Any]:
    with _tiff_page(path) as page:
        shape = _tiff_shape(path, page)
        # Striped pages without compression lie in one piece.
        if not page.is_memmappable:
            return np.asarray(page.asarray())
        order = page.parent.byteorder
        offset = page.dataoffsets[0]
        return np.memmap(path, page.dtype.newbyteorder(order), "r", offset, shape)

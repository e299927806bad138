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
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.mrc import HEADER_BYTES, MrcLayout, read_layout
from deepconsensus_plugin.core.io.tiff import MAGIC, read_tiff_layout
from deepconsensus_plugin.core.io.tiff_pieces import unpack_pieces
from deepconsensus_plugin.core.io.untrusted import MOST_UNPACKED

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 2**20
_MOST_AFTER = 2**24
"""Bytes that may follow the image in a compressed file."""


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
    if head[:4] in MAGIC:
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
    if head[:4] in MAGIC:
        tiff = read_tiff_layout(path)
        return MicrographHeader(tiff.shape, tiff.pixel_size_A)
    size = _plain_size(path, head)
    if size is None:
        with _decompressed(path, head) as stream:
            head = stream.read(HEADER_BYTES)
    layout = read_layout(path, head, size=size)
    if size is None:
        _check_unpacked(path, layout)
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
    """Unpack no more than the header says that there is."""
    with _decompressed(path, head) as stream:
        header = stream.read(HEADER_BYTES)
        layout = read_layout(path, header, size=None)
        _check_unpacked(path, layout)
        content = np.empty(layout.end - HEADER_BYTES, np.uint8)
        size = len(header) + _fill(content, stream) + _count_rest(path, stream)
    read_layout(path, header, size=size)
    offset = layout.offset - HEADER_BYTES
    n_pixels = layout.shape[0] * layout.shape[1]
    return np.frombuffer(content, layout.dtype, n_pixels, offset).reshape(layout.shape)


def _fill(content: NDArray[np.uint8], stream: IO[bytes]) -> int:
    """Read a stream into an array, and return how much there was."""
    view, count = content.data, 0
    while part := stream.readinto(view[count : count + _CHUNK]):  # type: ignore[attr-defined]
        count += part
    return count


def _check_unpacked(path: Path, layout: MrcLayout) -> None:
    if layout.end > MOST_UNPACKED:
        raise FileFormatError(
            path,
            expected=f"at most {MOST_UNPACKED} bytes in a compressed MRC file "
            "(larger ones: uncompressed)",
            received=f"{layout.end}",
        )


def _count_rest(path: Path, stream: IO[bytes]) -> int:
    """Return how many bytes follow; reading them shows whether the file is complete."""
    count = 0
    while part := stream.read(_CHUNK):
        count += len(part)
        if count > _MOST_AFTER:
            raise FileFormatError(
                path,
                expected=f"at most {_MOST_AFTER} bytes after the image",
                received="more",
            )
    return count


def _open_tiff(path: Path) -> NDArray[Any]:
    layout = read_tiff_layout(path)
    if not layout.is_mapped:
        return unpack_pieces(path, layout)
    return np.memmap(path, layout.dtype, "r", layout.offsets[0], layout.shape)

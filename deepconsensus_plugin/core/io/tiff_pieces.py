# SPDX-License-Identifier: GPL-3.0-or-later
"""Strips and tiles of a TIFF image, unpacked into one array.

Every piece must unpack to exactly the bytes of its pixels. LZW and PackBits have no
checksum: of a file that was cut, or that lost bytes on the way, decoders make other
pixels or fewer, and only the number of bytes shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.lzw_codes import count_lzw
from deepconsensus_plugin.core.io.tiff import TiffLayout
from deepconsensus_plugin.core.io.untrusted import PARSER_ERRORS

Decoder = Callable[..., Any]

_UNCOMPRESSED, _LZW = 1, 5

_DECODERS: Mapping[int, Decoder] = {
    _LZW: imagecodecs.lzw_decode,
    8: imagecodecs.deflate_decode,
    32946: imagecodecs.deflate_decode,
    32773: imagecodecs.packbits_decode,
    34925: imagecodecs.lzma_decode,
    34926: imagecodecs.zstd_decode,
    50000: imagecodecs.zstd_decode,
}
"""By TIFF's number of the compression."""

_UNPREDICTED, _DIFFERENCES, _FLOATS = 1, 2, 3
"""TIFF's numbers of predictors."""


def unpack_pieces(path: Path, layout: TiffLayout) -> NDArray[Any]:
    """Return the pixels of a TIFF image, shape (rows, columns), in memory.

    Parameters
    ----------
    path : Path
        The file.
    layout : TiffLayout
        As `read_tiff_layout` gives it.

    Raises
    ------
    FileFormatError
        If the compression is not known, or a piece does not unpack to its pixels.
    """
    _check_coding(path, layout)
    native = layout.dtype.newbyteorder("=")
    rows, columns = layout.shape
    whole = np.empty(layout.shape if layout.n_pieces != (1, 1) else 0, native)
    with path.open("rb") as file:
        for number, (top, left) in enumerate(_corners(layout)):
            file.seek(layout.offsets[number])
            packed = file.read(layout.counts[number])
            pixels = _unpack(path, layout, number, top, packed).astype(
                native, copy=False
            )
            if layout.n_pieces == (1, 1):
                return pixels[:rows, :columns]
            part = pixels[: rows - top, : columns - left]
            whole[top : top + len(part), left : left + part.shape[1]] = part
    return whole


def _check_coding(path: Path, layout: TiffLayout) -> None:
    known = (_UNCOMPRESSED, *_DECODERS)
    if layout.compression not in known:
        expected = "a TIFF that is uncompressed or compressed with LZW, deflate, "
        raise FileFormatError(
            path,
            expected=f"{expected}PackBits, LZMA or Zstandard",
            received=_name(tifffile.TIFF.COMPRESSION, layout.compression),
        )
    is_packed = layout.bits != 8 * layout.dtype.itemsize
    predictors = {
        _UNPREDICTED: True,
        _DIFFERENCES: not is_packed,
        _FLOATS: not is_packed and layout.dtype.kind == "f",
    }
    if not predictors.get(layout.predictor):
        raise FileFormatError(
            path,
            expected="a TIFF without predictor, or with one of 2 and 3 that fits",
            received=f"predictor {layout.predictor} of {layout.bits} bits",
        )


def _name(kinds: Any, number: int) -> str:
    try:
        return str(kinds(number).name)
    except ValueError:
        return f"compression {number}"


def _corners(layout: TiffLayout) -> Iterator[tuple[int, int]]:
    """Yield the first row and column of every piece, in their order."""
    (along_rows, along_columns), (height, width) = layout.n_pieces, layout.piece
    for row in range(along_rows):
        for column in range(along_columns):
            yield row * height, column * width


def _unpack(
    path: Path, layout: TiffLayout, number: int, top: int, packed: bytes
) -> NDArray[Any]:
    """Return the pixels of one piece."""
    height, width = layout.piece
    there = height if layout.are_tiles else min(height, layout.shape[0] - top)
    row_bytes = -(-width * layout.bits // 8)
    # Some programs fill the last strip up.
    sizes = (there * row_bytes, height * row_bytes)
    try:
        content = _decode(layout, packed, max(sizes))
    except PARSER_ERRORS as error:
        raise FileFormatError(
            path, expected=f"pixels in piece {number} of the TIFF", received=str(error)
        ) from error
    is_whole = len(content) in sizes
    if layout.compression == _UNCOMPRESSED:
        is_whole = len(content) >= sizes[0]
    if not is_whole:
        raise FileFormatError(
            path,
            expected=f"{sizes[0]} bytes of pixels in piece {number} of the TIFF",
            received=f"{len(content)} or more (a damaged or truncated file)",
        )
    return _as_pixels(layout, content[: sizes[0]], there)


def _decode(layout: TiffLayout, packed: bytes, most: int) -> NDArray[np.uint8]:
    """Return the bytes of a piece: at most one more than there can be."""
    source: Any = packed
    if layout.is_reversed:
        source = imagecodecs.bitorder_decode(source)
    if layout.compression == _UNCOMPRESSED:
        return np.frombuffer(bytearray(source), np.uint8)
    if layout.compression == _LZW:
        if (n := count_lzw(bytes(source), most)) > most:
            raise ValueError(f"LZW of {n} or more bytes for {most} of pixels")
        # Of a code in the last three bytes, it reads only a part.
        unpacked = imagecodecs.lzw_decode(bytes(source) + bytes(3))
        return np.frombuffer(bytearray(unpacked), np.uint8)[:n]
    target = np.empty(most + 1, np.uint8)
    return np.asarray(_DECODERS[layout.compression](source, out=target)).view(np.uint8)


def _as_pixels(
    layout: TiffLayout, content: NDArray[np.uint8], rows: int
) -> NDArray[Any]:
    """Return bytes as pixels, with what a predictor took away."""
    shape = (rows, layout.piece[1])
    if layout.bits != 8 * layout.dtype.itemsize:
        packed: NDArray[Any] = imagecodecs.packints_decode(
            content.tobytes(), layout.dtype, layout.bits, runlen=shape[1]
        )
        return packed.reshape(shape)
    pixels = content.view(layout.dtype).reshape(shape)
    if layout.predictor == _UNPREDICTED:
        return pixels
    if layout.predictor == _FLOATS:
        raw = content.view(layout.dtype.newbyteorder("=")).reshape(shape)
        return np.asarray(imagecodecs.floatpred_decode(raw, axis=-1))
    native = pixels.astype(layout.dtype.newbyteorder("="), copy=False)
    return np.asarray(imagecodecs.delta_decode(native, axis=-1, out=native))

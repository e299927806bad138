# SPDX-License-Identifier: GPL-3.0-or-later
"""The header of an MRC file: where its pixels are and what they are.

The layout is that of MRC2014 (Cheng et al. 2015), with mrcfile's header. Files that
many programs write although they depart from the standard are accepted where nothing
is left to guess: a missing ``MAP`` stamp if the size fits exactly, a wrong machine
stamp if only the other byte order makes sense, unsigned bytes if IMOD marked them or
the largest pixel shows it, bytes after the image.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mrcfile.dtypes
import mrcfile.utils
import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError

logger = logging.getLogger(__name__)

HEADER_BYTES = 1024
_IMOD_STAMP = 1146047817
_IMOD_SIGNED_BYTES = 1
_HUGE = 65536


@dataclass(frozen=True)
class MrcLayout:
    """Layout of an MRC file: offset, shape and type of its pixels.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns.
    dtype : dtype
        Type and byte order of a pixel.
    offset : int
        Bytes before the first pixel.
    pixel_size_A : float, optional
        Å/px along x; None where the header has none.
    n_images : int
        Images, one below the other.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    offset: int
    pixel_size_A: float | None = None
    n_images: int = 1

    @property
    def end(self) -> int:
        """Bytes up to the end of the image."""
        return self.offset + self.shape[0] * self.shape[1] * self.dtype.itemsize


def read_layout(
    path: Path, head: bytes, *, size: int | None, is_stack: bool = False
) -> MrcLayout:
    """Return the layout of an MRC file with one real image, or with several.

    Parameters
    ----------
    path : Path
        The file, for messages.
    head : bytes
        Its first `HEADER_BYTES`.
    size : int or None
        Its size in bytes, decompressed; None skips the check against the header.
    is_stack : bool
        Whether it may hold several images; they lie one below the other, and the rows
        are those of all of them.

    Raises
    ------
    FileFormatError
        If it is no MRC file, truncated or complex, or holds several images and is no
        stack.
    """
    if len(head) < HEADER_BYTES:
        raise FileFormatError(
            path,
            expected=f"an MRC header of {HEADER_BYTES} bytes, or a TIFF file",
            received=f"{len(head)} bytes",
        )
    header = _ordered_header(path, head)
    if header.nz != 1 and not is_stack:
        raise FileFormatError(
            path,
            expected="one image (a micrograph, not a movie, stack or volume)",
            received=f"{header.nz} slices of {header.nx} x {header.ny} pixels; write "
            "each slice to a file of its own",
        )
    layout = MrcLayout(
        shape=(int(header.nz) * int(header.ny), int(header.nx)),
        dtype=_pixel_type(path, header, head),
        offset=HEADER_BYTES + int(header.nsymbt),
        pixel_size_A=_pixel_size(header),
        n_images=int(header.nz),
    )
    if size is not None:
        _check_size(path, layout, size, stamped=_is_stamped(header))
    return layout


def _pixel_size(header: Any) -> float | None:
    """Return Å/px: the length of the cell by its samples; None where one is missing."""
    length, samples = float(header.cella.x), int(header.mx)
    if samples <= 0 or not 0 < length < math.inf:
        return None
    return float(f"{length / samples:.6g}")  # the header has single precision


def _is_stamped(header: Any) -> bool:
    return bytes(header.map)[:3] == b"MAP"


def _ordered_header(path: Path, head: bytes) -> Any:
    """Return the header in the byte order that makes sense, the stamped one first."""
    raw = np.frombuffer(head, mrcfile.dtypes.HEADER_DTYPE).reshape(())
    stamp = raw["machst"].tobytes()[:2]
    headers = [
        raw.view(raw.dtype.newbyteorder(order)).view(np.recarray)
        for order in ("><" if stamp == b"\x11\x11" else "<>")
    ]
    possible = [header for header in headers if _is_possible(header)]
    if not possible:
        raise FileFormatError(
            path,
            expected="an MRC or TIFF micrograph",
            received=f"other content, which starts with {head[:16]!r}",
        )
    # Mode 0 is 0 in either order; a small number turned round is a huge one.
    return min(possible, key=lambda header: max(_sizes(header)) >= _HUGE)


def _sizes(header: Any) -> tuple[int, int, int]:
    return int(header.nx), int(header.ny), int(header.nz)


def _is_possible(header: Any) -> bool:
    return bool(
        min(_sizes(header)) > 0 and 0 <= header.mode <= 101 and header.nsymbt >= 0
    )


def _pixel_type(path: Path, header: Any, head: bytes) -> np.dtype[Any]:
    order = header.mode.dtype.byteorder
    mode = int(header.mode)
    if mode not in (0, 1, 2, 6, 12):
        raise FileFormatError(
            path,
            expected="real pixels: MRC mode 0, 1, 2, 6 or 12",
            received=f"mode {mode}",
        )
    if mode == 0 and _has_unsigned_bytes(header, head):
        return np.dtype(np.uint8)
    kind: np.dtype[Any] = mrcfile.utils.dtype_from_mode(mode)
    return kind.newbyteorder(order)


def _has_unsigned_bytes(header: Any, head: bytes) -> bool:
    """Return whether mode 0 means unsigned: by IMOD's mark, else by the image's range.

    Bytes were unsigned before MRC2014, and some programs still write them so. A header
    that says that the largest pixel is above 127 cannot speak of signed ones.
    """
    order = header.mode.dtype.byteorder
    stamp, flags = np.frombuffer(head[152:160], np.dtype("i4").newbyteorder(order))
    if stamp == _IMOD_STAMP:
        return not flags & _IMOD_SIGNED_BYTES
    return bool(0 <= header.dmin <= header.dmax <= 255 and header.dmax > 127)


def _check_size(path: Path, layout: MrcLayout, size: int, *, stamped: bool) -> None:
    rows, columns = layout.shape
    needed = f"{layout.end} bytes for {rows} rows of {columns} {layout.dtype} pixels"
    if not stamped and size != layout.end:
        raise FileFormatError(
            path,
            expected=f"the stamp 'MAP' of an MRC file, or exactly {needed}",
            received=f"no stamp and {size} bytes",
        )
    if size < layout.end:
        raise FileFormatError(
            path, expected=needed, received=f"{size} bytes (a truncated file)"
        )
    if size > layout.end:
        logger.debug("%s: %d bytes after the image", path, size - layout.end)

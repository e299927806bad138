# SPDX-License-Identifier: GPL-3.0-or-later
"""LZW codes of TIFF, counted: what they would unpack to, without unpacking them.

One byte of codes can stand for 2560 bytes of pixels, and imagecodecs takes the memory
that codes ask for; of a code whose string is not known, it may die. So both are looked
at before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CLEAR, _END, _FIRST = 256, 257, 258
"""Code that empties the table of strings, code of the end, first code of a string."""

_MOST_CODES = 4096 - _FIRST + 2
"""Codes between two that empty the table: it is full then, and TIFF has it emptied."""

_SHORTEST, _MOST_SHORT = 2000, 1000
"""Bytes that a table stands for at least, on average, if there are more than so many:
encoders empty full tables, or look every 10 000 bytes whether it is worth it."""

_WIDTHS = 9 + np.searchsorted(
    [511, 1023, 2047], np.arange(_MOST_CODES) + _FIRST - 1, "right"
)
"""Bits of the codes of a table."""

_STARTS = np.concatenate([[0], np.cumsum(_WIDTHS)[:-1]])

Ints = NDArray[np.int64]


def count_lzw(packed: bytes, most: int) -> int:
    """Return the number of bytes that LZW codes stand for.

    Parameters
    ----------
    packed : bytes
        Of a strip or tile of a TIFF.
    most : int
        Number beyond which counting ends.

    Raises
    ------
    ValueError
        If a code is damaged up to there, or the first does not empty the table.
    """
    if packed[:1] != b"\x80" or packed[1:2] >= b"\x80":
        raise ValueError("LZW that does not begin as TIFF 6.0 has it")
    padded = np.frombuffer(packed + bytes(4), np.uint8).astype(np.int32)
    at, end = 0, 8 * len(packed)
    n_bytes = n_tables = 0
    while at < end and n_bytes <= most:
        codes, at = _next_table(padded, at, end)
        n_bytes, n_tables = n_bytes + int(_lengths(codes).sum()), n_tables + 1
        if n_tables > _MOST_SHORT and n_bytes < n_tables * _SHORTEST:
            raise ValueError(f"{n_tables} tables of LZW for {n_bytes} bytes")
    return n_bytes


def _next_table(padded: NDArray[np.int32], at: int, end: int) -> tuple[Ints, int]:
    """Return the codes from a bit to the next clear code, and the bit behind that."""
    starts = at + _STARTS[: np.searchsorted(_STARTS + _WIDTHS, end - at, "right")]
    widths = _WIDTHS[: len(starts)]
    first = starts >> 3
    bits = padded[first] << 16 | padded[first + 1] << 8 | padded[first + 2]
    codes = bits >> (24 - (starts & 7) - widths) & ((1 << widths) - 1)
    special = np.flatnonzero((codes == _CLEAR) | (codes == _END))
    if not special.size:
        if len(codes) == _MOST_CODES:
            raise ValueError("a table of LZW that is full, and used further")
        return codes, end
    n = int(special[0])
    behind = int(starts[n] + widths[n]) if codes[n] == _CLEAR else end
    return codes[:n], behind


def _lengths(codes: Ints) -> Ints:
    """Return the bytes of each code of a table.

    Each code but the first makes a string: that of the code before, and a byte.
    """
    n = len(codes)
    before = np.where(codes < _CLEAR, n, codes - _FIRST)
    if (before[codes >= _CLEAR] >= np.flatnonzero(codes >= _CLEAR)).any():
        raise ValueError("a code of LZW whose string is not known yet")
    before = np.append(before, n)
    lengths = np.ones(n + 1, np.int64)
    lengths[n] = 0
    while (before < n).any():
        lengths += lengths[before]
        before = before[before]
    return lengths[:n]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Seals of our own binary files: a digest behind the content, which tells damage.

HDF5 has no checksum of what we keep in it, and its library can read damaged files for
ever, or into all memory. Other programs do not see the seal: HDF5 knows where it ends.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

_MARK = b"sealed\r\n"
_DIGEST_BYTES = 16
_CHUNK = 2**20


def seal(path: Path) -> None:
    """Write the digest of a file behind its content."""
    with path.open("r+b") as file:
        digest = _digest(file, path.stat().st_size)
        file.write(_MARK + digest)


def is_damaged(path: Path) -> bool:
    """Return whether a file has a seal that is not that of its content.

    Files of early versions have none, and are not known to be damaged.
    """
    end = path.stat().st_size - len(_MARK) - _DIGEST_BYTES
    if end < 0:
        return False
    with path.open("rb") as file:
        file.seek(end)
        mark, received = file.read(len(_MARK)), file.read()
        file.seek(0)
        return mark == _MARK and _digest(file, end) != received


def _digest(file: IO[bytes], size: int) -> bytes:
    """Return the digest of so many bytes of an open file, which is then behind them."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    while size > 0 and (part := file.read(min(size, _CHUNK))):
        digest.update(part)
        size -= len(part)
    return digest.digest()

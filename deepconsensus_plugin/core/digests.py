# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of the inputs that decide a result, as one string.

Unfinished work is resumed only if all inputs that decide its result are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.types import Micrograph

_PART = 4096
"""Bytes of each part of a file that are looked at."""

_SMALL = 2**20
"""Bytes up to which a file is read whole to tell whether it has changed."""


def digest(*parts: Any) -> str:
    """Return a digest of arrays, dataclasses and plain values, in their order."""
    hasher = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            hasher.update(f"{part.dtype.str}{part.shape}".encode())
            hasher.update(np.ascontiguousarray(part).data)
        else:
            hasher.update(json.dumps(to_plain(part), sort_keys=True).encode())
    return hasher.hexdigest()


def digest_file(path: Path) -> list[Any]:
    """Return what changes when a file, or a folder, is replaced or written to.

    Its size, its time, and parts of its content: a copy may have the time of another.
    """
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns, _digest_parts(path)]


def digest_content(path: Path) -> list[Any]:
    """Return what tells the content of a file: all of it where it is small.

    A small file that was only touched stays the same; of a large one size, time and
    parts count.
    """
    status = path.stat()
    if status.st_size <= _SMALL:
        return [status.st_size, hashlib.sha256(path.read_bytes()).hexdigest()]
    return [status.st_size, status.st_mtime_ns, _digest_parts(path)]


def _digest_parts(path: Path) -> str:
    """Return a digest of the beginning, the middle and the end of a file."""
    hasher = hashlib.blake2b(digest_size=16)
    if path.is_dir():
        return ""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for offset in (0, size // 2, max(0, size - _PART)):
            file.seek(offset)
            hasher.update(file.read(_PART))
    return hasher.hexdigest()


def digest_micrographs(micrographs: Iterable[Micrograph]) -> str:
    """Return a digest of micrographs: their description and their files."""
    return digest(*([to_plain(m), digest_file(m.path)] for m in micrographs))

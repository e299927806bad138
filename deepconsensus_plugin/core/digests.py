# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of the inputs that decide a result, as one string.

Unfinished work is resumed only if all inputs that decide its result are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.types import Micrograph


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
    """Return what changes when a file is replaced or written to."""
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def digest_micrographs(micrographs: Iterable[Micrograph]) -> str:
    """Return a digest of micrographs: their description and their files."""
    return digest(*([to_plain(m), digest_file(m.path)] for m in micrographs))

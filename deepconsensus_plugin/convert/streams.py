# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets that other runs are still filling."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.object import Set


def refresh(items: Set) -> bool:
    """Take over what the file of a set holds by now; return whether it may still grow.

    Whoever reads the items after it is asked, not before, misses none of a set that is
    closed.
    """
    items.close()
    items.load()  # the number of items
    items.loadProperty("_streamState")
    items.close()
    return bool(items.isStreamOpen())


def state_of_file(items: Set) -> tuple[str, int, int]:
    """Return what changes whenever a set is written to."""
    path = Path(items.getFileName())
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns

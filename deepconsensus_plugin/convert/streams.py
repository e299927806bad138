# SPDX-License-Identifier: GPL-3.0-or-later
"""Streamed sets: inputs that other runs are still filling."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.object import Pointer, Set
from pyworkflow.protocol import Protocol, getUpdatedProtocol

_STATE = "_streamState"


def refresh(pointer: Pointer) -> bool:
    """Take over what a set holds by now; return whether it may still grow.

    A caller that reads the items after this call, not before, misses none of a set that
    is closed.

    Parameters
    ----------
    pointer : Pointer
        To a Set, of a run that may be at work in another process.
    """
    items = pointer.get()
    items.close()
    items.load()  # the number of items
    if items.hasProperty(_STATE):
        items.loadProperty(_STATE)
    else:  # the file of an empty set does not say
        items.setStreamState(_state_in_run(pointer, items))
    items.close()
    return bool(items.isStreamOpen())


def _state_in_run(pointer: Pointer, items: Set) -> int:
    """Return the state that the run of a set has noted; the known one without."""
    run = pointer.getObjValue()
    if isinstance(run, Protocol) and Path(run.getDbPath()).exists():
        items = getattr(getUpdatedProtocol(run), pointer.getExtended(), items)
    return int(items.getStreamState())


def state_of_file(items: Set) -> tuple[str, int, int]:
    """Return what changes whenever a set is written to."""
    path = Path(items.getFileName())
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns

# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that are made once in a run of the tests, for all of its processes."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_VARIABLE = "DEEPCONSENSUS_TESTS_SHARED"


def shared_root() -> Path:
    """Return the folder of this run; the process that asks first deletes it at its end.

    Processes that it starts afterwards inherit the place.
    """
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="deepconsensus-shared-")
        atexit.register(shutil.rmtree, os.environ[_VARIABLE], ignore_errors=True)
    return Path(os.environ[_VARIABLE])


def shared_folder(name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that must not be changed; `make` fills it if nobody has yet.

    Processes that ask at the same time may each make it; the first to finish is kept.

    Parameters
    ----------
    name : str
        Says all that its content depends on.
    make : callable
        Gets an empty folder.
    """
    folder = shared_root() / name
    if not folder.exists():
        partial = Path(tempfile.mkdtemp(dir=shared_root(), prefix="partial-"))
        make(partial)
        try:
            partial.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(partial)
    return folder

# SPDX-License-Identifier: GPL-3.0-or-later
"""Place of the jobs' environment, and the choice of the Python that runs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from deepconsensus_plugin.constants import DEEPCONSENSUS_HOME, DEEPCONSENSUS_PYTHON

ENVIRONMENT_VERSION = "1.0"
"""Raised with the jobs' requirements, so that Scipion makes the environment anew."""

CPU_PACKAGE, GPU_PACKAGE = "deepconsensus", "deepconsensusGPU"
"""Names for ``scipion3 installb``: without and with NVIDIA's libraries."""

MARKER = "environment.json"
"""File that is written in the folder of an environment when it is complete."""


class Origin(Enum):
    """Reason why a Python runs the jobs, in words."""

    CHOSEN = f"chosen by {DEEPCONSENSUS_PYTHON}"
    MADE = "made by scipion3 installb"
    OWN = "the Python of Scipion and of this command"


def folder_name(package: str) -> str:
    """Return the name of a package's folder, as Scipion makes it."""
    return f"{package}-{ENVIRONMENT_VERSION}"


def python_in(home: Path) -> Path:
    """Return the Python of the environment in a folder."""
    return home / "env" / "bin" / "python"


def find_home(em_root: Path) -> Path:
    """Return the folder of the environment in Scipion's folder of programs.

    That with NVIDIA's libraries if it is complete, else the other, which may be absent.
    """
    with_gpu = em_root / folder_name(GPU_PACKAGE)
    complete = (with_gpu / MARKER).is_file()
    return with_gpu if complete else em_root / folder_name(CPU_PACKAGE)


def find_em_root(environ: Mapping[str, str]) -> Path | None:
    """Return Scipion's folder of programs; None where Scipion is not installed."""
    home = environ.get("SCIPION_HOME")
    if home is None:
        return None
    software = environ.get("SCIPION_SOFTWARE", "software")
    return Path(home, environ.get("EM_ROOT", os.path.join(software, "em")))


def choose_python(chosen: str, home: Path | None) -> tuple[str, Origin]:
    """Return the Python that runs the jobs, and why.

    Parameters
    ----------
    chosen : str
        Value of ``DEEPCONSENSUS_PYTHON``; empty if it is not set.
    home : path, optional
        Folder of the environment that Scipion made; None without Scipion.
    """
    if chosen:
        return chosen, Origin.CHOSEN
    if home is not None and (home / MARKER).is_file():
        return str(python_in(home)), Origin.MADE
    return sys.executable, Origin.OWN


def python_from(environ: Mapping[str, str]) -> tuple[str, Origin]:
    """Return what `choose_python` does, from environment variables alone."""
    em_root = find_em_root(environ)
    home = find_home(em_root) if em_root is not None else None
    if environ.get(DEEPCONSENSUS_HOME):
        home = Path(environ[DEEPCONSENSUS_HOME])
    return choose_python(environ.get(DEEPCONSENSUS_PYTHON, ""), home)

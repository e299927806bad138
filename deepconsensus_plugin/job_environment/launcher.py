# SPDX-License-Identifier: GPL-3.0-or-later
"""Launcher of a job in a Python where this package is not installed.

Run as a file: ``python …/job_environment/launcher.py JOB.json``. It offers this very
copy of the package for import, and nothing else of the environment around it, so that
a job and the Scipion that started it are always of the same version.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
JOBS_MODULE = f"{PACKAGE.name}.core.jobs"


def offer_package() -> None:
    """Make this package importable; the folder of this file is on the path no more."""
    here = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    spec = importlib.util.spec_from_file_location(
        PACKAGE.name,
        PACKAGE / "__init__.py",
        submodule_search_locations=[str(PACKAGE)],
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{PACKAGE}: expected a package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE.name] = module
    spec.loader.exec_module(module)


@contextmanager
def offered_to_children() -> Iterator[None]:
    """Let processes that are started meanwhile import this package, by a link to it."""
    with tempfile.TemporaryDirectory(prefix="deepconsensus-package-") as folder:
        Path(folder, PACKAGE.name).symlink_to(PACKAGE)
        os.environ["PYTHONPATH"] = folder
        yield


if __name__ == "__main__":
    offer_package()
    with offered_to_children():
        runpy.run_module(JOBS_MODULE, run_name="__main__", alter_sys=True)

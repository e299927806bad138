# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdict on the jobs' environment, in a sentence for forms and for `check`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from deepconsensus_plugin.job_environment.gpus import GPU_REMEDY
from deepconsensus_plugin.job_environment.location import Origin
from deepconsensus_plugin.job_environment.requirements import of_jobs
from deepconsensus_plugin.job_environment.versions import (
    BACKENDS,
    Versions,
    ask_versions,
    unmet,
)

_KEPT_S = 10
_ONLY_FOR_TENSORFLOW = ("tensorflow", "ml_dtypes")

REMEDIES = {
    Origin.CHOSEN: "Install it there, or unset DEEPCONSENSUS_PYTHON.",
    Origin.MADE: "Make the environment again: delete its folder, then "
    "scipion3 installb deepconsensus",
    Origin.OWN: "Make an environment for the jobs: scipion3 installb deepconsensus "
    "(with an NVIDIA GPU: deepconsensusGPU); without Scipion: make env",
}


def backend_in(environ: Mapping[str, str]) -> str:
    """Return what Keras computes with: ``tensorflow``, ``jax`` or ``torch``.

    Raises
    ------
    ValueError
        If ``KERAS_BACKEND`` names another one.
    """
    chosen = environ.get("KERAS_BACKEND") or "tensorflow"
    if chosen not in BACKENDS:
        raise ValueError(
            f"KERAS_BACKEND: expected one of {', '.join(BACKENDS)}, received {chosen}"
        )
    return chosen


def versions_of(python: str) -> Versions:
    """Return the versions of the jobs' requirements in an interpreter.

    A good answer is kept until the interpreter changes, another for some seconds:
    forms ask often, and the menu once for each protocol.
    """
    try:
        stamp = os.stat(python).st_mtime_ns
    except OSError as error:
        return Versions(python, fault=error.strerror or str(error))
    answer = _asked(python, stamp)
    if answer.fault or unmet(answer, of_jobs()):
        answer = _asked(python, stamp, 1 + int(time.monotonic() / _KEPT_S))
    return answer


@lru_cache(maxsize=8)
def _asked(python: str, stamp: int, moment: int = 0) -> Versions:
    return ask_versions(python, [each.name for each in of_jobs()])


def environment_fault(python: str, origin: Origin, backend: str) -> str | None:
    """Return what is wrong with the environment of the jobs; None if it works.

    Nothing is imported there: it takes a tenth of a second, once.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If this package is not installed, so that its requirements are not known.
    """
    versions = versions_of(python)
    place = f"Jobs run in {versions.describe(backend)}, {origin.value}"
    if versions.fault:
        return f"{place}. {REMEDIES[origin]}"
    missing = unmet(versions, of_jobs())
    if backend != "tensorflow":
        missing = [m for m in missing if not m.startswith(_ONLY_FOR_TENSORFLOW)]
        if backend not in versions.found:
            missing.append(f"{backend} (missing)")
    if not missing:
        return None
    return (
        f"{place}. What they need is not there: {', '.join(missing)}. "
        + REMEDIES[origin]
    )


def libraries_warning(python: str, backend: str, gpus: Sequence[str]) -> str | None:
    """Return a sentence if GPUs are there, but the jobs have no libraries for them."""
    if not gpus or not Path(python).is_file():
        return None
    versions = versions_of(python)
    if versions.fault or versions.has_cuda(backend):
        return None
    return (
        f"This machine has a GPU ({gpus[0]}), which will not be used: "
        f"{versions.describe(backend)} has no CUDA libraries. {GPU_REMEDY[0].upper()}"
        f"{GPU_REMEDY[1:]}."
    )

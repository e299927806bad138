# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``check``: what is installed, where jobs run, on what, what is missing.

It imports nothing of what it looks for, so that it can say what is broken.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from deepconsensus_plugin import __version__

HELP = "say what is installed, where jobs run and on which devices, what is missing"

_DISTRIBUTION = "scipion-em-deepconsensus"

PYTHON_REMEDY = "Scipion's installer takes another one with: -python 3.11"
"""The one line that brings a Scipion whose Python fits."""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Parameters
    ----------
    subject, found : str
        Subject of the check, and what was found.
    remedy : str, optional
        How to get what is missing; None where all is well.
    required : bool
        Whether nothing works without it.
    """

    subject: str
    found: str
    remedy: str | None = None
    required: bool = True

    @property
    def mark(self) -> str:
        """Mark before the line: ``ok``, ``!!``, or ``??`` where it is not required."""
        if self.remedy is None:
            return "ok"
        return "!!" if self.required else "??"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command: none."""


def run(arguments: argparse.Namespace) -> int:
    """Print the report; the exit status is 1 if something required is missing."""
    findings = [
        check_python(sys.version_info[:2]),
        *check_requirements(),
        check_scipion(),
        *check_jobs(),
    ]
    print(f"deepconsensus_plugin {__version__} in {sys.prefix}")
    for finding in findings:
        print(f"  {finding.mark}  {finding.subject:22} {finding.found}")
    for finding in findings:
        if finding.remedy is not None:
            print(f"{finding.subject}: {finding.remedy}")
    missing = [each for each in findings if each.remedy and each.required]
    print("Something required is missing." if missing else "Everything is there.")
    return 1 if missing else 0


def check_python(version: tuple[int, ...]) -> Finding:
    """Return whether the Python fits; `version` is (major, minor)."""
    fits = (3, 10) <= version <= (3, 12)
    remedy = None if fits else f"use Python 3.10, 3.11 or 3.12. {PYTHON_REMEDY}"
    return Finding("Python", platform.python_version(), remedy)


def check_requirements() -> Iterator[Finding]:
    """Yield a finding for this package and each distribution it requires."""
    try:
        declared = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        remedy = "Scipion does not find it: pip install -e . in its source folder"
        yield Finding(_DISTRIBUTION, "not installed", remedy)
        return
    from packaging.requirements import Requirement

    for requirement in map(Requirement, declared):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield check_requirement(requirement.name, str(requirement.specifier))


def check_requirement(name: str, versions: str) -> Finding:
    """Return whether a distribution is there in one of `versions` (``>=1,<2``)."""
    from packaging.specifiers import SpecifierSet

    # The whole package at once: one by one, pip may pull NumPy 2 and break Scipion.
    remedy = f"needs {name}{versions}: pip install {_DISTRIBUTION} (not {name} alone)"
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", remedy)
    fits = SpecifierSet(versions).contains(found, prereleases=True)
    return Finding(name, found, None if fits else remedy)


def check_scipion() -> Finding:
    """Return which Scipion environment the command line would use."""
    home = os.environ.get("SCIPION_HOME")
    if home is None:
        return Finding("Scipion", "not installed (command line only)")
    remedy = None if os.path.isdir(home) else f"SCIPION_HOME: no such folder: {home}"
    return Finding("Scipion", home, remedy)


def check_jobs() -> Iterator[Finding]:
    """Yield findings on the Python that runs the jobs, and on its devices."""
    from deepconsensus_plugin.job_environment import location, verdict

    python, origin = location.python_from(os.environ)
    yield Finding("jobs run in", f"{python}, {origin.value}")
    try:
        backend = verdict.backend_in(os.environ)
        fault = verdict.environment_fault(python, origin, backend)
    except (ValueError, metadata.PackageNotFoundError) as error:
        yield Finding("their environment", "not known", str(error))
        return
    found = verdict.versions_of(python).describe(backend)
    yield Finding("their environment", found, fault)
    if fault is None:
        yield from check_devices(python, backend)


def check_devices(python: str, backend: str) -> Iterator[Finding]:
    """Yield the devices that jobs can use, and why a GPU is not one of them."""
    from deepconsensus_plugin.job_environment import devices, gpus, verdict

    title = verdict.BACKENDS[backend]
    seen = devices.ask_devices(python, backend, os.environ)
    if seen.fault:
        yield Finding("their devices", "none", f"{python}, {title}: {seen.fault}")
        return
    yield Finding("their devices", ", ".join(seen.names))
    reason = gpus.why_no_gpu(
        seen,
        driver := gpus.ask_driver(),
        has_libraries=verdict.versions_of(python).has_cuda(backend),
        environ=os.environ,
    )
    if reason is not None:
        shown = ", ".join(driver.names) or "NVIDIA"
        yield Finding("GPU", f"{shown}: not used", reason, required=False)

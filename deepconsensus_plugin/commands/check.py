# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``check``: what is installed, what TensorFlow finds, what is missing.

It imports nothing of what it looks for, so that it can say what is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from deepconsensus_plugin import __version__
from deepconsensus_plugin.constants import DEEPCONSENSUS_PYTHON

HELP = "say what is installed, which devices TensorFlow sees and what is missing"

_DISTRIBUTION = "scipion-em-deepconsensus"
_DEVICES_TIMEOUT_S = 180
_DEVICES_SCRIPT = """
import json, tensorflow as tf
name = lambda d: tf.config.experimental.get_device_details(d).get("device_name", "")
print(json.dumps([f"{d.device_type} {name(d)}".strip()
                  for d in tf.config.list_physical_devices()]))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Parameters
    ----------
    subject, found : str
        Subject of the check, and what was found.
    remedy : str, optional
        How to get what is missing; None where all is well.
    """

    subject: str
    found: str
    remedy: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command: none."""


def run(arguments: argparse.Namespace) -> int:
    """Print the report; the exit status is 1 if something required is missing."""
    findings = [
        check_python(sys.version_info[:2]),
        *check_requirements(),
        check_scipion(),
        check_devices(),
    ]
    print(f"deepconsensus_plugin {__version__} in {sys.prefix}")
    for finding in findings:
        mark = "ok" if finding.remedy is None else "!!"
        print(f"  {mark}  {finding.subject:22} {finding.found}")
    missing = [finding for finding in findings if finding.remedy is not None]
    for finding in missing:
        print(f"{finding.subject}: {finding.remedy}")
    print("Something required is missing." if missing else "Everything is there.")
    return 1 if missing else 0


def check_python(version: tuple[int, ...]) -> Finding:
    """Return whether the Python fits; `version` is (major, minor)."""
    fits = (3, 10) <= version <= (3, 12)
    remedy = None if fits else "use Python 3.10, 3.11 or 3.12"
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


def check_devices() -> Finding:
    """Return the devices that TensorFlow sees, in the Python that runs the jobs."""
    python = os.environ.get(DEEPCONSENSUS_PYTHON, sys.executable)
    subject = "TensorFlow's devices"
    try:
        answer = subprocess.run(
            [python, "-c", _DEVICES_SCRIPT],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
            capture_output=True,
            text=True,
            check=True,
            timeout=_DEVICES_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines() or [f"status {error.returncode}"]
        return Finding(subject, "none", f"{python} cannot import it: {reason[-1]}")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(subject, "none", f"{python} does not answer: {error}")
    return Finding(subject, ", ".join(json.loads(answer.stdout.splitlines()[-1])))

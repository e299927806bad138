# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions in the Python of the jobs, asked without importing what is installed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_TIMEOUT_S = 60
_SCRIPT = """
import json, platform, sys
from importlib import metadata
found = {}
for name in json.loads(sys.argv[1]):
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps([platform.python_version(), found]))
"""
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
"""Distributions that Keras can compute with, and their names in print."""

CUDA_LIBRARIES = {
    "tensorflow": ("nvidia-cudnn-cu12",),
    "jax": ("jax-cuda12-plugin", "jax-cuda13-plugin"),
    "torch": ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13"),
}
"""Distributions that a backend computes on a GPU with; one of them is enough."""


@dataclass(frozen=True)
class Versions:
    """Versions of a Python and of what is installed for it.

    Parameters
    ----------
    python : str
        Path of the interpreter.
    version : str
        Its version; empty if it does not run.
    found : dict
        Version of each distribution that was asked for and is there, by its name in
        lower case, with hyphens.
    fault : str
        Reason why the interpreter does not run; empty if it does.
    """

    python: str
    version: str = ""
    found: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def has_cuda(self, backend: str) -> bool:
        """Return whether libraries for GPUs are installed for a backend."""
        return any(name in self.found for name in CUDA_LIBRARIES[backend])

    def describe(self, backend: str) -> str:
        """Return path and versions, for a sentence."""
        if self.fault:
            return f"{self.python} (does not run: {self.fault})"
        parts = [f"Python {self.version}"]
        for name, title in ((backend, BACKENDS[backend]), ("keras", "Keras")):
            parts.append(f"{title} {self.found.get(name, 'missing')}")
        return f"{self.python} ({', '.join(parts)})"


def ask_versions(python: str, names: Iterable[str]) -> Versions:
    """Return the versions of `names`, distributions, for an interpreter."""
    libraries = {each for group in CUDA_LIBRARIES.values() for each in group}
    wanted = {*map(canonicalize_name, names), *libraries, *BACKENDS, "keras"}
    try:
        answer = subprocess.run(
            [python, "-I", "-c", _SCRIPT, json.dumps(sorted(wanted))],
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
        version, found = json.loads(answer.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        return Versions(python, fault=last_line(error.stderr) or str(error))
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        return Versions(python, fault=str(error))
    return Versions(python, version, found)


def last_line(text: str) -> str:
    """Return the last line of a program's output; empty if it wrote none."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def unmet(versions: Versions, required: Iterable[Requirement]) -> list[str]:
    """Return the requirements that are not met, each with what was found."""
    missing = []
    for each in required:
        found = versions.found.get(canonicalize_name(each.name))
        if found is None:
            missing.append(f"{each.name} (missing)")
        elif not each.specifier.contains(found, prereleases=True):
            missing.append(f"{each.name}{each.specifier} (found {found})")
    return missing

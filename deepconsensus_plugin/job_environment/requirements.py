# SPDX-License-Identifier: GPL-3.0-or-later
"""Requirements of the jobs: those of this package, without Scipion's."""

from __future__ import annotations

from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DISTRIBUTION = "scipion-em-deepconsensus"
EXTRAS = ("learning", "gpu")

NOT_FOR_JOBS = frozenset(
    {"scipion-pyworkflow", "scipion-em", "matplotlib", "packaging"}
)
"""Distributions that only windows, forms and the command line need."""


def declared(*extras: str) -> list[Requirement]:
    """Return the requirements of this package, with those of `extras`.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If this package is not installed, only on the path.
    """
    found = map(Requirement, metadata.requires(DISTRIBUTION) or [])
    wanted = ("", *extras)
    return [
        each
        for each in found
        if each.marker is None
        or any(each.marker.evaluate({"extra": extra}) for extra in wanted)
    ]


def of_jobs(extra: str = "learning") -> list[Requirement]:
    """Return what an environment of the jobs needs; `extra` is one of `EXTRAS`."""
    return [
        each
        for each in declared(extra)
        if canonicalize_name(each.name) not in NOT_FOR_JOBS
    ]


def written(requirement: Requirement) -> str:
    """Return a requirement as pip takes it, without its marker."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"

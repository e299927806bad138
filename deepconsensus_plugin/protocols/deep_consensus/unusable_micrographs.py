# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs whose candidates cannot be scored or judged, told in the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.usable_area.bad_micrographs import (
    describe_bad_micrographs,
    find_bad_micrographs,
)


def warnOfLeftOut(
    protocol: Protocol, candidates: Candidates, usable: Iterable[Micrograph]
) -> None:
    """Log every micrograph whose candidates cannot be scored: it is not usable."""
    names = {micrograph.name for micrograph in usable}
    for name in candidates.micrographs:
        if name not in names:
            protocol.warning(
                f"{name}: it has no CTF, or is not among the *Other micrographs*; its "
                "candidates are left out"
            )


def withBadMicrographs(
    protocol: Protocol, candidates: Candidates, micrographs: Iterable[Micrograph]
) -> Candidates:
    """Return candidates that know which micrographs are bad, and warn of those.

    Of what is known already and of `micrographs`, which are cut.
    """
    bad = {*candidates.bad_micrographs, *find_bad_micrographs(micrographs)}
    candidates = replace(candidates, bad_micrographs=tuple(sorted(bad)))
    for sentence in describe_bad_micrographs(candidates.bad_micrographs):
        protocol.warning(sentence)
    return candidates

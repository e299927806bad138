# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of averages of candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.averages.parameters import FEWEST_BOXES
from deepconsensus_plugin.core.averages.table import (
    AveragesTable,
    images_path,
    read_averages,
)
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf


def describeAverages(
    table: AveragesTable, *, path: str, pixelSize: float, nLeftOut: int
) -> list[str]:
    """Return what came out, a sentence each.

    Parameters
    ----------
    table : AveragesTable
        Averages of a run.
    path : str
        Stack of their images.
    pixelSize : float
        Of the micrographs that were cut, Å.
    nLeftOut : int
        Candidates that were not averaged.
    """
    members = table.n_members
    n, k = members.sum(), len(members)
    lines = [
        f"{n} candidates in {k} averages of {members.min()} to {members.max()}; "
        f"{path}.",
        _describeResolution(table),
    ]
    offset_A = pixelSize * np.hypot(*table.offset_yx[table.average >= 0].T)
    lines.append(
        f"Half of the candidates lie within {np.median(offset_A):.0f} Å of the centre "
        "that their average has."
    )
    if nLeftOut:
        lines.append(
            f"{nLeftOut} candidates left out, since their micrographs have no CTF, or "
            "are not among the *Other micrographs*."
        )
    return lines


def _describeResolution(table: AveragesTable) -> str:
    """Return what independent halves say of the averages."""
    resolved = np.isfinite(table.resolution_A)
    share = table.n_members[resolved].sum() / table.n_members.sum()
    if not resolved.any():
        return (
            "WARNING: independent halves agree on none of the averages. Look at them "
            "before anything is concluded from them."
        )
    finest, coarsest = (
        f"{end:.0f}"
        for end in (
            table.resolution_A[resolved].min(),
            table.resolution_A[resolved].max(),
        )
    )
    return (
        f"Independent halves agree on {resolved.sum()} of them, with {share:.0%} of "
        f"the candidates, to {finest} to {coarsest} Å."
    )


def describeAveraging(protocol: Protocol, nCandidates: int) -> list[str]:
    """Return what averages tell in a run that scores so many candidates.

    Empty where it was not wanted, or scores could not be combined.
    """
    if (path := _averagesOf(protocol)) is not None:
        table = read_averages(path)
        n, k = table.n_members.sum(), len(table.images)
        return [
            f"{n} candidates were averaged without a reference: {k} averages; "
            f"{images_path(path)}.",
            _describeResolution(table),
        ]
    wanted = protocol.combineEvidence and protocol.averageCandidates
    if not wanted or nCandidates >= FEWEST_BOXES:
        return []
    return [
        f"The candidates were not averaged, since they are fewer than {FEWEST_BOXES}."
    ]


def describeAveragingMethods(protocol: Protocol) -> list[str]:
    """Return how candidates were averaged, as a sentence of a paper, if they were."""
    if _averagesOf(protocol) is None:
        return []
    return [
        "Likeness to averages of the candidates, which were aligned without a "
        "reference in two independent halves [Scheres2012], was combined with them."
    ]


def citedForAverages(protocol: Protocol) -> list[str]:
    """Return the keys of the papers that averages are cited with, if there are any."""
    return [] if _averagesOf(protocol) is None else ["Scheres2012"]


def _averagesOf(protocol: Protocol) -> Path | None:
    path = chainFilesOf(protocol).averages
    return path if path.is_file() else None

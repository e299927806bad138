# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of averages of candidates."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.averages.table import AveragesTable


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

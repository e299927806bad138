# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences about averages, the same in summaries and in the report."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.averages.table import AveragesTable


def describe_sorting(table: AveragesTable) -> str:
    """Return how many candidates were sorted into how many averages."""
    members = table.n_members[table.n_members > 0]
    smallest, largest = members.min(initial=members.sum()), members.max(initial=0)
    return (
        f"{members.sum():,} candidates were aligned without a reference and sorted "
        f"into {len(members)} averages of {smallest:,} to {largest:,}."
    )


def describe_resolutions(table: AveragesTable) -> str:
    """Return on how many averages independent halves agree, and to what detail."""
    resolved = np.isfinite(table.resolution_A) & (table.n_members > 0)
    if not resolved.any():
        return (
            "WARNING: independent halves agree on none of the averages. Look at them "
            "before anything is concluded from them."
        )
    share = table.n_members[resolved].sum() / table.n_members.sum()
    finest, coarsest = (
        f"{end(table.resolution_A[resolved]):.0f}" for end in (np.min, np.max)
    )
    reach = finest if finest == coarsest else f"{finest} to {coarsest}"
    return (
        f"Independent halves agree on {resolved.sum()} of them, with {share:.0%} of "
        f"the candidates; resolution {reach} Å."
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of averages of candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.averages.parameters import FEWEST_BOXES
from deepconsensus_plugin.core.averages.sentences import (
    describe_resolutions,
    describe_sorting,
)
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
    lines = [*_describeTable(table, path)]
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


def _describeTable(table: AveragesTable, path: Path | str) -> list[str]:
    return [
        describe_sorting(table),
        describe_resolutions(table),
        f"Averages: {path}.",
    ]


def describeAveraging(protocol: Protocol, nCandidates: int) -> list[str]:
    """Return what averages tell in a run that scores so many candidates.

    Empty where it was not wanted, or scores could not be combined.
    """
    if (path := _averagesOf(protocol)) is not None:
        return _describeTable(read_averages(path), images_path(path))
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

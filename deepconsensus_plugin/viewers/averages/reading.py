# SPDX-License-Identifier: GPL-3.0-or-later
"""Reader of averages and of the set that they tell of, for the window of averages.

`locate_averages` asks Scipion, whose connections belong to one thread; `read_shown`
only reads files, so that a window can let another thread do it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import (
    LIST_SEPARATOR,
    PICKERS_ATTRIBUTE,
    SCORE_ATTRIBUTE,
)
from deepconsensus_plugin.core.acceptance.placed_scores import PlacedScores
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.averages.marks import read_marks
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.protocols.shared.run_averages import (
    RunAverages,
    averagedItems,
    readRunAverages,
)
from deepconsensus_plugin.set_columns import read_columns
from deepconsensus_plugin.viewers.averages.shown import AveragesShown
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

Columns = Mapping[str, list[Any]]


@dataclass(frozen=True, eq=False)
class AveragesSource:
    """Location of averages and of the candidates that they tell of.

    Parameters
    ----------
    averages : RunAverages
        Averages of the candidates.
    selection : SelectionInput
        The candidates.
    folder : Path
        Folder of the project, which paths start from.
    spacing : Spacing
        Where accepted particles may lie.
    threshold : float, optional
        Lowest score that is good enough; None where nothing is accepted yet.
    """

    averages: RunAverages
    selection: SelectionInput
    folder: Path
    spacing: Spacing
    threshold: float | None


def locate_averages(
    run: Protocol, *, folder: Path, spacing: Spacing, threshold: float | None
) -> AveragesSource:
    """Return where the averages of a run are, and its candidates.

    Parameters
    ----------
    run : Protocol
        A run that `hasAverages`.
    folder, spacing, threshold
        As for `AveragesSource`.

    Raises
    ------
    ValueError
        If the averages are of another number of candidates.
    """
    return AveragesSource(
        readRunAverages(run),
        SelectionInput.of(averagedItems(run)),
        folder,
        spacing,
        threshold,
    )


def read_shown(source: AveragesSource) -> AveragesShown:
    """Return all that a window shows of averages."""
    items, table = source.selection.candidates, source.averages.table
    columns = read_columns(items, SCORE_ATTRIBUTE, PICKERS_ATTRIBUTE)
    places, micrographs = source.selection.places(source.folder), None
    if places is not None and source.selection.micrographs is not None:
        micrographs = ShownMicrographs.of_set(
            source.selection.micrographs,
            folder=source.folder,
            box_size=source.selection.box_size,
            masks=source.selection.masks,
        )
    n = len(table.average)
    pickers, found = _found(columns, n)
    return AveragesShown(
        source.averages.path,
        table,
        read_marks(source.averages.path, table),
        _accepted(source, columns, places),
        pickers,
        found,
        micrographs,
        np.full(n, -1) if places is None else places.micrograph,
        np.full((n, 2), np.nan) if places is None else places.yx,
    )


def _accepted(
    source: AveragesSource, columns: Columns, places: Places | None
) -> BoolArray | None:
    """Return which candidates are accepted, where a threshold is known."""
    if source.threshold is None or SCORE_ATTRIBUTE not in columns:
        return None
    score = np.array(columns[SCORE_ATTRIBUTE], dtype=np.float64)
    placed = PlacedScores(score, places, source.spacing)
    return np.asarray(placed.reasons(source.threshold) == Reason.ACCEPTED)


def _found(columns: Columns, n: int) -> tuple[tuple[str, ...], BoolArray]:
    """Return the pickers that items name, and which found which."""
    joined = columns.get(PICKERS_ATTRIBUTE, [None] * n)
    finders = {text: {*(text or "").split(LIST_SEPARATOR)} for text in {*joined}}
    pickers = tuple(sorted(set().union(*finders.values()) - {""}))
    rows = [[each in finders[text] for each in pickers] for text in joined]
    return pickers, np.array(rows, dtype=bool).reshape(n, len(pickers))

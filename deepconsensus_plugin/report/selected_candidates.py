# SPDX-License-Identifier: GPL-3.0-or-later
"""Candidates of a selection, for programs that the plugin writes files for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import (
    candidates_and_items,
    observed_in,
    paths_by_name,
    shapes_by_name,
)
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.protocols.deep_consensus.acceptance import spacingOf
from deepconsensus_plugin.protocols.deep_consensus.protocol_select import (
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.report.scored import (
    ScoredCandidates,
    read_scored,
    scored_coordinates,
)
from deepconsensus_plugin.report.selections import SCORERS, find_related
from deepconsensus_plugin.set_columns import read_id_array


@dataclass(frozen=True, eq=False)
class SelectedCandidates:
    """Candidates of a selection, n, with what else a program needs to know of them.

    Parameters
    ----------
    name : str
        Name of the selection.
    scored : ScoredCandidates
        All candidates that were scored.
    is_offered : array, shape (n,), bool
        Which of them the selection chose from.
    spacing : Spacing
        Where accepted particles may lie.
    box_size : int
        Pixels.
    sampling_rate : float
        Å/px.
    observed : tuple of str
        Micrographs that any picker was run on.
    shapes : dict of str to tuple of int
        Rows and columns of the micrographs whose files are there.
    paths : dict of str to Path
        Files of the micrographs, links followed.
    """

    name: str
    scored: ScoredCandidates
    is_offered: BoolArray
    spacing: Spacing
    box_size: int
    sampling_rate: float
    observed: tuple[str, ...]
    shapes: dict[str, tuple[int, int]]
    paths: dict[str, Path]


def read_selection(project: Project, selected: Protocol) -> SelectedCandidates:
    """Return the candidates of a finished selection, and what became of them.

    Raises
    ------
    ValueError
        If nothing that was scored is behind it.
    """
    related = find_related(project, selected)
    scored_by = next(run for run in related if isinstance(run, SCORERS))
    coordinates = scored_coordinates(scored_by)
    scored = read_scored(scored_by, selected)
    offered = coordinates
    if isinstance(selected, ProtDeepConsensusSelect):
        offered = SelectionInput.of(selected.scoredItems().get()).candidates
    _, item = candidates_and_items(coordinates)
    ids = read_id_array(coordinates)[item]
    micrographs = coordinates.getMicrographs()
    observed = observed_in(scored.candidates).observed
    return SelectedCandidates(
        selected.getRunName(),
        scored,
        np.isin(ids, read_id_array(offered)),
        spacingOf(selected),
        coordinates.getBoxSize(),
        micrographs.getSamplingRate(),
        tuple(name for name, pickers in observed.items() if pickers),
        shapes_by_name(micrographs),
        paths_by_name(micrographs),
    )

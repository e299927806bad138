# SPDX-License-Identifier: GPL-3.0-or-later
"""Reader of scored Scipion sets for the window of scores, column by column.

`locate` asks Scipion, whose connections belong to one thread; `read_overview` only
reads files, so that a window can let another thread do it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles

from deepconsensus_plugin.constants import (
    AVERAGE_AMPLITUDE_ATTRIBUTE,
    GENERAL_MODEL_ATTRIBUTE,
    NETWORK_SCORE_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.set_columns import (
    columns_are_fused,
    read_columns,
    read_id_array,
)
from deepconsensus_plugin.viewers.scores.images import (
    MicrographImages,
    MixedImages,
    ParticleImages,
    StackImages,
)
from deepconsensus_plugin.viewers.scores.overview import Overview
from deepconsensus_plugin.viewers.scores.review import Review
from deepconsensus_plugin.viewers.scores.table import (
    Grouping,
    ScoredTable,
    group_all,
    group_by_picker,
    group_by_votes,
)
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

VOTES, PICKERS, NOTHING = "number of votes", "picker", "nothing"
"""Ways to stack the bars."""

_OPINIONS = (
    *(VOTES_ATTRIBUTE, NETWORK_SCORE_ATTRIBUTE),
    *(GENERAL_MODEL_ATTRIBUTE, AVERAGE_AMPLITUDE_ATTRIBUTE),
)
"""Evidence that may contradict itself, higher is better."""

Columns = Mapping[str, list[Any]]


@dataclass(frozen=True, eq=False)
class ScoredSource:
    """Location of scored candidates: sets, files and identifiers.

    Parameters
    ----------
    selection : SelectionInput
        Candidates, and those of them that are particles.
    micrographs : SetOfMicrographs or None
        Micrographs that they were picked on.
    box_size : float
        Pixels of the micrographs.
    folder : Path
        Folder of the project, which paths start from.
    spacing : Spacing
        Where accepted particles may lie.
    report : CalibrationReport, optional
        Report of the run that scored them.
    marks : Path, optional
        File of their marks; None where they cannot be marked.
    """

    selection: SelectionInput
    micrographs: SetOfMicrographs | None
    box_size: float
    folder: Path
    spacing: Spacing
    report: CalibrationReport | None = None
    marks: Path | None = None

    @property
    def items(self) -> SetOfParticles | SetOfCoordinates:
        """All candidates; the first time files may be read."""
        return self.selection.candidates

    @property
    def particles(self) -> SetOfParticles | None:
        """Candidates with pictures of their own, by the same ids."""
        return self.selection.particles


def locate(
    items: SetOfParticles | SetOfCoordinates,
    *,
    folder: Path,
    spacing: Spacing | None = None,
    report: CalibrationReport | None = None,
    marks: Path | None = None,
) -> ScoredSource:
    """Return where the candidates of a set, their micrographs and pictures are.

    Parameters
    ----------
    items : SetOfParticles or SetOfCoordinates
        Scored, not empty; see `SelectionInput` for what the candidates are.
    folder, spacing, report, marks
        As for `ScoredSource`; the default spacing if None.
    """
    found = SelectionInput.of(items)
    return ScoredSource(
        found,
        found.micrographs,
        found.box_size,
        folder,
        spacing or Spacing(),
        report,
        marks,
    )


def read_overview(source: ScoredSource) -> Overview:
    """Return all that a window shows of scored candidates.

    Raises
    ------
    KeyError
        If they were never scored.
    """
    prefix = "_coordinate." if source.items is source.particles else ""
    found = [prefix + name for name in (VOTES_ATTRIBUTE, PICKERS_ATTRIBUTE)]
    names = dict.fromkeys((SCORE_ATTRIBUTE, *found, *_OPINIONS))
    columns = read_columns(source.items, *names)
    if SCORE_ATTRIBUTE not in columns:
        raise KeyError(f"{source.items.getFileName()}: its items have no score")
    score = np.array(columns[SCORE_ATTRIBUTE], dtype=np.float64)
    places = source.selection.places(source.folder)
    table = _table(source, score, _groupings(columns, found), places)
    return Overview(
        table,
        are_probabilities=columns_are_fused(columns),
        places=places,
        spacing=source.spacing,
        report=source.report,
        images=_images(source, table),
        review=_review(source, table, columns),
    )


def _review(
    source: ScoredSource, table: ScoredTable, columns: Columns
) -> Review | None:
    """Return the marks of candidates whose micrographs are known."""
    if source.marks is None or table.micrographs is None:
        return None
    known = [name for name in _OPINIONS if columns.get(name) is not None]
    opinions = np.array([columns[name] for name in known], dtype=np.float64)
    return Review(table, source.marks, opinions.reshape(-1, len(table.score)).T)


def _table(
    source: ScoredSource,
    score: FloatArray,
    groupings: dict[str, Grouping],
    places: Places | None,
) -> ScoredTable:
    if places is None or source.micrographs is None:
        n = len(score)
        nowhere = np.full(n, -1, dtype=np.intp)
        return ScoredTable(score, groupings, None, nowhere, np.full((n, 2), np.nan))
    shown = ShownMicrographs.of_set(
        source.micrographs,
        folder=source.folder,
        box_size=source.box_size,
        masks=source.selection.masks,
    )
    return ScoredTable(score, groupings, shown, places.micrograph, places.yx)


def _groupings(columns: Columns, found: list[str]) -> dict[str, Grouping]:
    """Return the ways to stack bars, the first one first, that the items allow."""
    votes, pickers = map(columns.get, found)
    groupings = {}
    if votes is not None:
        groupings[VOTES] = group_by_votes(votes)
    if pickers is not None:
        groupings[PICKERS] = group_by_picker(pickers)
    return {**groupings, NOTHING: group_all(len(columns[SCORE_ATTRIBUTE]))}


def _images(source: ScoredSource, table: ScoredTable) -> ParticleImages | None:
    """Return pictures: of stacks that are there, else cut out of the micrographs."""
    stacks, cut_out = _stacks(source), None
    if table.micrographs is not None and (table.micrograph_index >= 0).any():
        cut_out = MicrographImages(table.micrographs, table.micrograph_index, table.yx)
    if stacks is None or cut_out is None or stacks.has_all:
        return cut_out if stacks is None else stacks
    return MixedImages(stacks, cut_out)


def _stacks(source: ScoredSource) -> StackImages | None:
    """Return the pictures of the particles, by rows of the candidates."""
    if source.particles is None:
        return None
    columns = read_columns(source.particles, "_filename", "_index")
    paths: dict[str, int] = {}
    code = [paths.setdefault(each, len(paths)) for each in columns["_filename"]]
    stacks = [source.folder / each for each in paths]
    if not all(_is_mrc(path) for path in stacks):
        return None
    ids, own = (read_id_array(each) for each in (source.items, source.particles))
    row = np.searchsorted(own, ids).clip(max=len(own) - 1)
    is_known = own[row] == ids
    return StackImages(
        stacks,
        np.where(is_known, np.array(code)[row], -1),
        np.array(columns["_index"])[row],
        sampling_rate=source.particles.getSamplingRate(),
    )


def _is_mrc(path: Path) -> bool:
    return path.suffix in (".mrc", ".mrcs") and path.exists()

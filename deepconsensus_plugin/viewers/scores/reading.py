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
    NETWORK_SCORE_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.types import FloatArray, IntArray
from deepconsensus_plugin.set_columns import columns_are_fused, read_columns, read_ids
from deepconsensus_plugin.viewers.scores.images import (
    MicrographImages,
    ParticleImages,
    StackImages,
)
from deepconsensus_plugin.viewers.scores.overview import Overview
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

Columns = Mapping[str, list[Any]]


@dataclass(frozen=True, eq=False)
class ScoredSource:
    """Location of scored candidates: sets, files and identifiers.

    Parameters
    ----------
    items : SetOfParticles or SetOfCoordinates
        All candidates.
    micrographs : SetOfMicrographs or None
        Micrographs that they were picked on.
    box_size : float
        Pixels of the micrographs.
    folder : Path
        Folder of the project, which paths start from.
    report : CalibrationReport, optional
        Report of the run that scored them.
    """

    items: SetOfParticles | SetOfCoordinates
    micrographs: SetOfMicrographs | None
    box_size: float
    folder: Path
    report: CalibrationReport | None = None

    @property
    def are_particles(self) -> bool:
        """Whether the candidates have pictures of their own."""
        return isinstance(self.items, SetOfParticles)


def locate(
    items: SetOfParticles | SetOfCoordinates,
    *,
    folder: Path,
    report: CalibrationReport | None = None,
) -> ScoredSource:
    """Return where the candidates of a set, their micrographs and pictures are.

    Parameters
    ----------
    items : SetOfParticles or SetOfCoordinates
        Scored, not empty.
    folder, report
        As for `ScoredSource`.
    """
    are_particles = isinstance(items, SetOfParticles)
    coordinates = items.getCoordinates() if are_particles else items
    micrographs = None if coordinates is None else coordinates.getMicrographs()
    box_size = (coordinates.getBoxSize() if coordinates is not None else None) or 0
    if not box_size and are_particles and micrographs is not None:
        rates = items.getSamplingRate() / micrographs.getSamplingRate()
        box_size = items.getXDim() * rates
    return ScoredSource(items, micrographs, float(box_size), folder, report)


def read_overview(source: ScoredSource) -> Overview:
    """Return all that a window shows of scored candidates.

    Raises
    ------
    KeyError
        If they were never scored.
    """
    prefix = "_coordinate." if source.are_particles else ""
    place = [prefix + name for name in ("_micName", "_micId", "_x", "_y")]
    found = [prefix + name for name in (VOTES_ATTRIBUTE, PICKERS_ATTRIBUTE)]
    columns = read_columns(
        source.items,
        *(SCORE_ATTRIBUTE, NETWORK_SCORE_ATTRIBUTE, "_filename", "_index"),
        *found,
        *place,
    )
    if SCORE_ATTRIBUTE not in columns:
        raise KeyError(f"{source.items.getFileName()}: its items have no score")
    score = np.array(columns[SCORE_ATTRIBUTE], dtype=np.float64)
    micrographs, index = _read_micrographs(source, columns, place)
    table = ScoredTable(
        score=score,
        groupings=_groupings(columns, found),
        micrographs=micrographs,
        micrograph_index=index,
        yx=_positions(source, columns, place),
    )
    return Overview(
        table,
        are_probabilities=columns_are_fused(columns),
        report=source.report,
        images=_images(source, columns, table),
    )


def _groupings(columns: Columns, found: list[str]) -> dict[str, Grouping]:
    """Return the ways to stack bars, the first one first, that the items allow."""
    votes, pickers = map(columns.get, found)
    groupings = {}
    if votes is not None:
        groupings[VOTES] = group_by_votes(votes)
    if pickers is not None:
        groupings[PICKERS] = group_by_picker(pickers)
    return {**groupings, NOTHING: group_all(len(columns[SCORE_ATTRIBUTE]))}


def _read_micrographs(
    source: ScoredSource, columns: Columns, place: list[str]
) -> tuple[ShownMicrographs | None, IntArray]:
    """Return the micrographs, and which one each candidate lies on.

    As everywhere (`MicrographMatch.name_of`): by the name, or else by the id.
    """
    names, ids, *_ = (columns.get(each) for each in place)
    n_candidates = len(columns[SCORE_ATTRIBUTE])
    nowhere = np.full(n_candidates, -1, dtype=np.intp)
    if source.micrographs is None or ids is None:
        return None, nowhere
    shown = ShownMicrographs.of_set(
        source.micrographs, folder=source.folder, box_size=source.box_size
    )
    by_name = {name: number for number, name in enumerate(shown.names)}
    by_id = {each: number for number, each in enumerate(read_ids(source.micrographs))}
    index = [
        by_name.get(name, by_id.get(each, -1))
        for name, each in zip(names or [None] * n_candidates, ids, strict=True)
    ]
    return shown, np.array(index, dtype=np.intp)


def _positions(source: ScoredSource, columns: Columns, place: list[str]) -> FloatArray:
    """Return centres in pixels of the micrographs, shape (n, 2).

    The coordinate of a particle is in the pixels of the particle.
    """
    *_, x, y = place
    if x not in columns:
        return np.full((len(columns[SCORE_ATTRIBUTE]), 2), np.nan)
    yx = np.array([columns[y], columns[x]], dtype=np.float64).T
    if source.are_particles and source.micrographs is not None:
        rates = source.items.getSamplingRate(), source.micrographs.getSamplingRate()
        yx *= rates[0] / rates[1]
    return yx


def _images(
    source: ScoredSource, columns: Columns, table: ScoredTable
) -> ParticleImages | None:
    """Return pictures: of stacks that are there, else cut out of the micrographs."""
    if source.are_particles:
        paths: dict[str, int] = {}
        code = [paths.setdefault(each, len(paths)) for each in columns["_filename"]]
        stacks = [source.folder / each for each in paths]
        if all(_is_mrc(path) for path in stacks):
            return StackImages(
                stacks,
                np.array(code),
                np.array(columns["_index"]),
                sampling_rate=source.items.getSamplingRate(),
            )
    if table.micrographs is None or (table.micrograph_index < 0).all():
        return None
    return MicrographImages(table.micrographs, table.micrograph_index, table.yx)


def _is_mrc(path: Path) -> bool:
    return path.suffix in (".mrc", ".mrcs") and path.exists()

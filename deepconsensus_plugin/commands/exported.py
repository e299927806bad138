# SPDX-License-Identifier: GPL-3.0-or-later
"""Candidates that ``export`` writes: of a selection of a project, or of its files.

Files alone will do where there is no Scipion project around them, or no selection in
it: ``scores.csv`` and ``summary.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.constants import NO_SELECTION
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.limits import PixelSize, Side
from deepconsensus_plugin.core.pick_files.codec import Shape
from deepconsensus_plugin.core.reasons import UNJUDGED
from deepconsensus_plugin.core.serialisation import from_plain, read_json
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from deepconsensus_plugin.core.acceptance.places import Places

_DATABASE = "project.sqlite"
"""File that makes a folder a Scipion project."""


@dataclass(frozen=True)
class FinishedRun:
    """Part of a run's ``summary.json`` that an export needs.

    Parameters
    ----------
    box_size : int
        Pixels.
    observed : tuple of str
        Micrographs that any picker was run on.
    shapes : mapping of str to tuple of int
        Rows and columns of the micrographs; empty from early versions.
    sampling_rate : float
        Å/px; NaN from early versions.
    spacing : Spacing, optional
        Where accepted particles may lie; None from early versions.
    paths : mapping of str to Path
        Files of the micrographs, links followed; empty from early versions.
    """

    box_size: int
    observed: tuple[str, ...]
    shapes: Mapping[str, Shape]
    sampling_rate: float = np.nan
    spacing: Spacing | None = None
    paths: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Exported:
    """Scored candidates, n, and what became of them.

    Parameters
    ----------
    run : FinishedRun
        What is known of the run.
    micrograph : tuple of str, n
        Names.
    yx : array, shape (n, 2)
        Centres, pixels.
    score : array, shape (n,)
        NaN where there is none.
    reason : array, shape (n,), int
        Codes of `Reason`.
    is_offered : array, shape (n,), bool
        Which candidates the selection chose from.
    selection : str
        Name of the selection; empty where it is not known.
    """

    run: FinishedRun
    micrograph: tuple[str, ...]
    yx: FloatArray
    score: FloatArray
    reason: IntArray
    is_offered: BoolArray
    selection: str = ""

    def at(self, threshold: float) -> Exported:
        """Return what another threshold makes of them; other criteria stay."""
        from deepconsensus_plugin.core.acceptance.accept import accept  # heavy
        from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule

        spacing = self.run.spacing or Spacing(over_border=True)
        is_unjudged = np.isin(self.reason, UNJUDGED)
        rows = np.flatnonzero(self.is_offered & ~is_unjudged)
        rule = AcceptanceRule(spacing=spacing).at(threshold)
        reason = self.reason.copy()
        reason[rows] = accept(rule, self.score[rows], self._places(rows)).reason
        return replace(self, reason=reason)

    def _places(self, rows: IntArray) -> Places:
        from deepconsensus_plugin.core.acceptance.places import Places  # heavy

        numbers: dict[str, int] = {}
        index = [numbers.setdefault(name, len(numbers)) for name in self.micrograph]
        unknown = (np.nan, np.nan)
        shapes = [self.run.shapes.get(name, unknown) for name in numbers]
        return Places(
            self.yx[rows],
            np.array(index, dtype=np.intp)[rows],
            np.array(shapes, dtype=np.float64).reshape(-1, 2),
            self.run.box_size,
            self.run.sampling_rate,
        )


def is_project(folder: Path) -> bool:
    """Return whether a folder is a Scipion project."""
    return (folder / _DATABASE).is_file()


def read_exported(folder: Path, selection: str | None) -> Exported:
    """Return the candidates of a finished run.

    Parameters
    ----------
    folder : Path
        Of a project, or of ``scores.csv`` and ``summary.json``.
    selection : str, optional
        Name or number of a selection. None: the newest, or else the files.

    Raises
    ------
    ValueError, FileNotFoundError, FileFormatError
        If there is no such selection, or files are missing or bad.
    """
    if is_project(folder):
        prepare_environment()
        found = _of_project(folder, selection)
        if found is not None:
            return found
    elif selection is not None:
        raise ValueError(f"{folder}: not a Scipion project (it has no {_DATABASE})")
    elif not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    if not (folder / "scores.csv").is_file():
        raise ValueError(NO_SELECTION.format(folder=folder))
    table = read_scores_csv(folder / "scores.csv")
    everything = np.ones(len(table), dtype=bool)
    return Exported(
        read_summary(folder / "summary.json"),
        *(table.micrograph, table.yx, table.score, table.reason, everything),
    )


def _of_project(folder: Path, name: str | None) -> Exported | None:
    """Return the candidates of a selection; None if a project has no selection."""
    # Scipion reads its environment when it is imported.
    from deepconsensus_plugin.commands.project import open_project
    from deepconsensus_plugin.report.selected_candidates import read_selection
    from deepconsensus_plugin.report.selections import find_selection, find_selections

    project = open_project(folder.expanduser().absolute())
    if name is None and not find_selections(project):
        return None
    found = read_selection(project, find_selection(project, name))
    candidates = found.scored.candidates
    names = [candidates.micrographs[each] for each in candidates.micrograph_index]
    return Exported(
        FinishedRun(
            found.box_size,
            found.observed,
            found.shapes,
            found.sampling_rate,
            found.spacing,
            found.paths,
        ),
        *(tuple(names), candidates.yx, found.scored.score, found.scored.reason),
        *(found.is_offered, found.name),
    )


def read_summary(path: Path) -> FinishedRun:
    """Return the part of a run's summary that an export needs.

    Raises
    ------
    FileFormatError
        If it has no box size, or values that cannot be.
    """
    summary = read_json(path)
    names = [each.name for each in fields(_SummaryPart)]
    known = {name: summary[name] for name in names if name in summary}
    part = from_plain(known, _SummaryPart, path=path)
    return FinishedRun(
        part.box_size,
        observed=tuple(name for name, found in part.observed.items() if found),
        shapes=part.micrograph_shapes,
        sampling_rate=part.sampling_rate or np.nan,
        spacing=_spacing(summary, path),
        paths=part.micrograph_paths,
    )


@dataclass(frozen=True)
class _SummaryPart:
    """Part of ``summary.json`` that is read; early versions wrote less."""

    box_size: Side
    observed: dict[str, list[str]] = field(default_factory=dict)
    micrograph_shapes: dict[str, tuple[Side, Side]] = field(default_factory=dict)
    sampling_rate: PixelSize | None = None
    micrograph_paths: dict[str, Path] = field(default_factory=dict)


def _spacing(summary: Mapping[str, Any], path: Path) -> Spacing | None:
    from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary  # heavy

    accepted = summary.get("acceptance")
    if accepted is None:
        return None
    rule = from_plain(accepted, AcceptanceSummary, path=path).rule
    return None if rule is None else rule.spacing
